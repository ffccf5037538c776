import type { IdFormat } from "./idMap.ts";

/** Bytes of a new id in a map. */
export const ID_BYTES: Record<IdFormat, number> = { hex: 16, uuid: 16, objectId: 12, integer: 8 };

const SHAPES: Record<IdFormat, RegExp> = {
	hex: /^[0-9a-f]{32}$/,
	uuid: /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
	objectId: /^[0-9a-f]{24}$/,
	integer: /^[1-9][0-9]{0,18}$/,
};

/** A new id that stands in `bytes`, as text. */
export function idText(format: IdFormat, bytes: Buffer, at: number): string {
	if (format === "integer") return wholeText(bytes, at);
	const text = bytes.toString("hex", at, at + ID_BYTES[format]);
	if (format !== "uuid") return text;
	return `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20)}`;
}

function wholeText(bytes: Buffer, at: number): string {
	const high = bytes.readUInt32BE(at);
	if (high < 2 ** 21) return String(high * 2 ** 32 + bytes.readUInt32BE(at + 4));
	return bytes.readBigUInt64BE(at).toString();
}

/** The bytes of a new id; `undefined` when the text is none of this format. */
export function idBytes(format: IdFormat, text: string): Buffer | undefined {
	if (!SHAPES[format].test(text)) return undefined;
	if (format !== "integer") return Buffer.from(text.replaceAll("-", ""), "hex");
	if (BigInt(text) >= 2n ** 63n) return undefined;
	const bytes = Buffer.alloc(8);
	bytes.writeBigUInt64BE(BigInt(text));
	return bytes;
}
