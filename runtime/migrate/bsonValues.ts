import { Long, ObjectId } from "mongodb";
import type { IdFormat } from "./idmap/idMap.ts";

const HALF = 2 ** 32;

/** A whole number that a double holds exactly. */
export const longOfNumber = (value: number): Long => new Long(value | 0, Math.floor(value / HALF) | 0);

/** Decimal text of a 64-bit integer; undefined for anything else. */
export function longOf(text: string): Long | undefined {
	if (text.length < 16) {
		const value = Number(text);
		return Number.isInteger(value) && text !== "" ? longOfNumber(value) : undefined;
	}
	if (!/^-?\d{1,19}$/.test(text)) return undefined;
	const value = BigInt(text);
	return BigInt.asIntN(64, value) === value ? Long.fromBigInt(value) : undefined;
}

export type NewId = string | ObjectId | Long;

/** How new ids stand in documents. */
export const idWriter: Record<IdFormat, (id: string) => NewId> = {
	hex: (id) => id,
	uuid: (id) => id,
	objectId: (id) => ObjectId.createFromHexString(id),
	integer: (id) => longOf(id) as Long,
};
