import { HoldfastError } from "../errors.ts";

/** Types of BSON that documents of a migration have. */
export const Type = {
	DOUBLE: 0x01,
	TEXT: 0x02,
	DOCUMENT: 0x03,
	ARRAY: 0x04,
	BINARY: 0x05,
	OBJECT_ID: 0x07,
	BOOLEAN: 0x08,
	DATE: 0x09,
	NULL: 0x0a,
	LONG: 0x12,
} as const;

export const int32 = (raw: Buffer, at: number): number =>
	(raw[at] as number) |
	((raw[at + 1] as number) << 8) |
	((raw[at + 2] as number) << 16) |
	((raw[at + 3] as number) << 24);

/** Where the name that begins at `at` has its NUL. */
export function nameEnd(raw: Buffer, at: number): number {
	let end = at;
	while (raw[end] !== 0) {
		if (end >= raw.length) throw damaged();
		end++;
	}
	return end;
}

/** Bytes of values that are always so long; 0 is undefined, null, min and max key. */
const FIXED: Record<number, number> = {
	[Type.DOUBLE]: 8,
	6: 0,
	[Type.OBJECT_ID]: 12,
	[Type.BOOLEAN]: 1,
	[Type.DATE]: 8,
	[Type.NULL]: 0,
	16: 4,
	17: 8,
	[Type.LONG]: 8,
	19: 16,
	127: 0,
	255: 0,
};

/** Bytes of a value, by its type. */
export function sizeOf(raw: Buffer, type: number, at: number): number {
	switch (type) {
		case Type.TEXT:
		case 13: // code
		case 14: // symbol
			return 4 + int32(raw, at);
		case Type.DOCUMENT:
		case Type.ARRAY:
		case 15: // code with scope
			return int32(raw, at);
		case Type.BINARY:
			return 5 + int32(raw, at);
		case 11: // regular expression
			return nameEnd(raw, nameEnd(raw, at) + 1) + 1 - at;
		case 12: // pointer
			return 16 + int32(raw, at);
	}
	const fixed = FIXED[type];
	if (fixed === undefined) throw damaged();
	return fixed;
}

export const damaged = () => new HoldfastError("HF_DAMAGED", "the bytes of a document are not BSON");
