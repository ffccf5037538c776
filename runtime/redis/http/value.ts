import { isUtf8 } from "node:buffer";
import { msOf } from "../stamp.ts";
import type { ReadOutcome, Value } from "../store.ts";
import { Refusal } from "./errors.ts";

/** What a write in JSON says of its value. */
export interface Given {
	value?: unknown;
	valueBase64?: string;
	ttlSeconds?: number;
	expiresAt?: number;
	stamp?: string;
}

/**
 * When a write expires. A retry counts its seconds from the stamp that it repeats, so that both ask for the same.
 * Throws INVALID_REQUEST.
 */
export function expiryOf({ ttlSeconds, expiresAt, stamp }: Given, now: number): number | undefined {
	if (ttlSeconds === undefined) return expiresAt;
	if (expiresAt !== undefined)
		throw new Refusal("INVALID_REQUEST", "ttlSeconds and expiresAt exclude each other: send one of them.");
	return Math.round((stamp === undefined ? now : msOf(stamp)) + ttlSeconds * 1000);
}

function jsonText(value: unknown): string {
	try {
		return JSON.stringify(value);
	} catch (cause) {
		// Reading JSON needs no stack, writing it does.
		if (cause instanceof RangeError)
			throw new Refusal(
				"INVALID_VALUE",
				"The value is nested too deeply: PUT it as application/json, which takes it as it is.",
			);
		throw cause;
	}
}

function payloadOf({ value, valueBase64 }: Given): Pick<Value, "kind" | "payload"> {
	if (valueBase64 !== undefined) {
		if (value !== undefined)
			throw new Refusal("INVALID_REQUEST", "value and valueBase64 exclude each other: send one of them.");
		return { kind: "bytes", payload: Buffer.from(valueBase64, "base64") };
	}
	if (value === undefined) throw new Refusal("INVALID_REQUEST", "body: value is missing; any JSON value is taken.");
	// Half a surrogate pair has no UTF-8, but has an escape in JSON.
	if (typeof value === "string" && value.isWellFormed()) return { kind: "text", payload: Buffer.from(value) };
	return { kind: "json", payload: Buffer.from(jsonText(value)) };
}

/** The value of a write in JSON. Throws INVALID_REQUEST, INVALID_VALUE or TOO_LARGE. */
export function givenValue(given: Given, maxBytes: number, now: number): Value {
	const { kind, payload } = payloadOf(given);
	if (payload.length > maxBytes) throw tooLarge(payload.length, maxBytes);
	const expiresAt = expiryOf(given, now);
	return expiresAt === undefined ? { kind, payload } : { kind, payload, expiresAt };
}

export const tooLarge = (bytes: number, max: number): Refusal =>
	new Refusal("TOO_LARGE", `The value has ${bytes} bytes, and the limit is ${max}: store less under one key.`);

/** The kind that a content type says. Throws INVALID_VALUE where the bytes are something else. */
export function kindOf(contentType: string | undefined, body: Buffer): Value["kind"] {
	const [type] = (contentType ?? "").trim().toLowerCase().split(/\s*;/, 1) as [string];
	if (type === "application/json") return checkJson(body);
	if (!type.startsWith("text/")) return "bytes";
	if (!isUtf8(body))
		throw new Refusal("INVALID_VALUE", "The text is not UTF-8: send it as application/octet-stream, or convert it.");
	return "text";
}

/** JSON is kept as it was sent: numbers beyond a double and the order of names survive. */
function checkJson(body: Buffer): "json" {
	if (isUtf8(body)) {
		try {
			JSON.parse(body.toString());
			return "json";
		} catch {
			// Said below; what the parser says holds parts of the value.
		}
	}
	throw new Refusal("INVALID_VALUE", "The body is not JSON in UTF-8: correct it, or send it as text/plain.");
}

/** JSON of a value that was found, without the opening brace; a stored JSON text goes through untouched. */
export function valueJson({ value, stamp }: Extract<ReadOutcome, { found: "value" }>): string {
	const { kind, payload, expiresAt } = value;
	const shown =
		kind === "bytes"
			? `"valueBase64":"${payload.toString("base64")}"`
			: `"value":${kind === "json" ? payload.toString() : JSON.stringify(payload.toString())}`;
	const expiry = expiresAt === undefined ? "" : `,"expiresAt":${expiresAt}`;
	return `${shown},"timestamp":${msOf(stamp)},"stamp":"${stamp}"${expiry}}`;
}
