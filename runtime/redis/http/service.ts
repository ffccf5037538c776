import type { FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import type { Metrics } from "../metrics.ts";
import type { Store } from "../store.ts";
import type { ErrorCode } from "./errors.ts";

/** What handlers work with. */
export interface Service {
	store: Store;
	metrics: Metrics;
	/** Bytes of one value. */
	maxValueBytes: number;
	/** Bytes of the body of a batch write, and of the values in the answer to a batch read. */
	maxBatchBytes: number;
	/** Milliseconds that a client's stamp may lie in the future. */
	maxSkewMs: number;
	/** Milliseconds that it may lie in the past: a tombstone lives for the grace, counted from its stamp. */
	maxStampAgeMs: number;
	/** Milliseconds since 1970. */
	now(): number;
	/** Set once the process was told to end. */
	stopping: boolean;
}

export type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown;
export type Method = "GET" | "PUT" | "POST" | "DELETE";

/** One route, said once: what it takes and gives, from which checks, serialization and the OpenAPI document follow. */
export interface Route {
	method: Method;
	url: string;
	summary: string;
	/** Answers without a key; with one, it must be right. */
	public?: true;
	query?: z.ZodType;
	body?: z.ZodType;
	/** Whatever is sent is the value: content types are not parsed. */
	raw?: true;
	/** Largest body in bytes. */
	bodyLimit?(service: Service): number;
	/** Content type of a success. @default application/json */
	produces?: string;
	/** Answers by status, besides those of `refusals`. */
	answers: Readonly<Record<number, { meaning: string; schema: z.ZodType }>>;
	/** Codes of errors that it may answer with, besides those of all routes. */
	refusals: readonly ErrorCode[];
	handle(service: Service): Handler;
}
