import { int32, nameEnd, sizeOf, Type } from "./bsonBytes.ts";

/** What dates of the document at hand cannot hold, by the place of the date. */
export class Micros {
	readonly #parts = new Map<string, number>();
	/** Parts that are none. */
	#stray = 0;

	/** Reads `_micros`, whose value is at `at`; none without it. */
	begin(raw: Buffer, type: number, at: number | undefined): void {
		if (this.#parts.size > 0) this.#parts.clear();
		this.#stray = 0;
		if (at === undefined) return;
		if (type !== Type.ARRAY) this.#stray = 1;
		else for (const [itemType, item] of items(raw, at)) this.#part(raw, itemType, item);
	}

	get some(): boolean {
		return this.#parts.size > 0;
	}

	/** Parts that are none, that no date took, or that stand there twice. */
	get stray(): number {
		return this.#stray + this.#parts.size;
	}

	/** Each is given once. */
	take(place: string): number {
		const us = this.#parts.get(place);
		if (us === undefined) return 0;
		this.#parts.delete(place);
		return us;
	}

	#part(raw: Buffer, type: number, at: number): void {
		let place: string | undefined;
		let us = 0;
		if (type === Type.DOCUMENT) {
			for (const [valueType, value, name] of items(raw, at)) {
				if (name === "path" && valueType === Type.ARRAY) place = placeOf(raw, value);
				if (name === "us" && valueType === Type.LONG) us = Number(raw.readBigInt64LE(value));
			}
		}
		if (place === undefined || us < 1 || us > 999 || this.#parts.has(place)) this.#stray++;
		else this.#parts.set(place, us);
	}
}

/** A place below another. A name has no NUL, and whether a step is a name or an index follows from where it leads. */
export const below = (place: string, step: string | number): string => `${place}\0${step}`;

function placeOf(raw: Buffer, at: number): string | undefined {
	let place = "";
	for (const [type, value] of items(raw, at)) {
		if (type === Type.TEXT) place = below(place, raw.toString("utf8", value + 4, value + 3 + int32(raw, value)));
		else if (type === 0x10) place = below(place, int32(raw, value));
		else return undefined;
	}
	return place;
}

/** Type, offset and name of what is in a document or array. */
function* items(raw: Buffer, start: number): Generator<[number, number, string]> {
	const end = start + int32(raw, start) - 1;
	for (let at = start + 4; at < end; ) {
		const type = raw[at] as number;
		const value = nameEnd(raw, at + 1) + 1;
		yield [type, value, raw.toString("latin1", at + 1, value - 1)];
		at = value + sizeOf(raw, type, value);
	}
}
