import type { FastifyReply, FastifyRequest } from "fastify";
import { msOf } from "../stamp.ts";
import type { Consistency, ReadOutcome, Value, Write } from "../store.ts";
import { unansweredText, writeAnswerOf } from "./answers.ts";
import { errorBody, Refusal, sentence } from "./errors.ts";
import { keyOfPath, keyOfText, keyText } from "./key.ts";
import { stampSchema } from "./schemas.ts";
import type { Handler, Service } from "./service.ts";
import { expiryOf, type Given, givenValue, kindOf, tooLarge, valueJson } from "./value.ts";

export const JSON_TYPE = "application/json; charset=utf-8";
const BYTES = "application/octet-stream";

/**
 * Throws STAMP_AHEAD: a stamp from the future would win over every write until then. Throws STAMP_TOO_OLD: a tombstone
 * under it would be dropped before it has overruled all older records.
 */
export function checkStamp(stamp: string | undefined, { now, maxSkewMs, maxStampAgeMs }: Service): void {
	if (stamp === undefined) return;
	const ahead = msOf(stamp) - now();
	if (ahead < -maxStampAgeMs)
		throw new Refusal(
			"STAMP_TOO_OLD",
			`The stamp is more than ${maxStampAgeMs} ms old: a retry comes sooner; send no stamp to write anew.`,
		);
	if (ahead <= maxSkewMs) return;
	throw new Refusal(
		"STAMP_AHEAD",
		`The stamp lies more than ${maxSkewMs} ms in the future: set the clock it came from, or send no stamp.`,
	);
}

const keyOf = (request: FastifyRequest): Buffer => keyOfPath(keyText(request.originalUrl)!);

function stampOf(request: FastifyRequest, service: Service): string | undefined {
	const given = request.headers["x-stamp"];
	if (given === undefined) return undefined;
	const stamp = stampSchema.safeParse(given);
	if (!stamp.success) throw new Refusal("INVALID_REQUEST", `x-stamp ${stamp.error.issues[0]!.message}.`);
	checkStamp(stamp.data, service);
	return stamp.data;
}

async function write(service: Service, reply: FastifyReply, one: Write): Promise<object> {
	const [outcome] = await service.store.write([one]);
	service.metrics.wrote(outcome!);
	reply.statusCode = outcome!.success ? 200 : 503;
	return writeAnswerOf(outcome!, one.value?.expiresAt);
}

export const postData =
	(service: Service): Handler =>
	(request, reply) => {
		const body = request.body as Given & { key: string };
		checkStamp(body.stamp, service);
		const value = givenValue(body, service.maxValueBytes, service.now());
		return write(service, reply, { key: keyOfText(body.key), value, stamp: body.stamp });
	};

export const putData =
	(service: Service): Handler =>
	(request, reply) => {
		const encoding = request.headers["content-encoding"];
		if (encoding !== undefined && encoding !== "identity")
			throw new Refusal("UNSUPPORTED_MEDIA_TYPE", "Content-Encoding is not taken: send the value as it is.");
		const payload = (request.body as Buffer | undefined) ?? Buffer.alloc(0);
		if (payload.length > service.maxValueBytes) throw tooLarge(payload.length, service.maxValueBytes);
		const stamp = stampOf(request, service);
		const expiresAt = expiryOf({ ...(request.query as Given), stamp }, service.now());
		const value: Value = { kind: kindOf(request.headers["content-type"], payload), payload, expiresAt };
		return write(service, reply, { key: keyOf(request), value, stamp });
	};

export const deleteData =
	(service: Service): Handler =>
	(request, reply) =>
		write(service, reply, { key: keyOf(request), stamp: stampOf(request, service) });

export const notFoundBody = ({ stamp }: { stamp?: string }) =>
	errorBody("NOT_FOUND", sentence("NOT_FOUND"), stamp === undefined ? {} : { stamp, timestamp: msOf(stamp) });

function found(outcome: Extract<ReadOutcome, { found: "value" }>, request: FastifyRequest, reply: FastifyReply) {
	if (request.headers.accept?.startsWith(BYTES) !== true) {
		reply.header("content-type", JSON_TYPE);
		return `{${valueJson(outcome)}`;
	}
	const { value, stamp } = outcome;
	reply.headers({ "content-type": BYTES, "x-stamp": stamp, "x-timestamp": String(msOf(stamp)) });
	if (value.expiresAt !== undefined) reply.header("x-expires-at", String(value.expiresAt));
	return value.payload;
}

export const getData =
	(service: Service): Handler =>
	async (request, reply) => {
		const { consistency } = request.query as { consistency: Consistency };
		const [outcome] = await service.store.read([keyOf(request)], consistency);
		service.metrics.read(outcome!);
		if (outcome!.found === "value") return found(outcome!, request, reply);
		if (outcome!.found === "nothing") {
			reply.statusCode = 404;
			return notFoundBody(outcome!);
		}
		reply.statusCode = 503;
		return errorBody("NO_QUORUM", unansweredText(outcome!));
	};
