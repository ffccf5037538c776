import { hash } from "node:crypto";

/**
 * The canonical form of an entity and of its document: equal exactly when both hold the same. A value is a tag and what
 * follows it, little-endian; lengths and counts are 32-bit, text is UTF-8 after its length. Fields stand by the UTF-8
 * order of their names, which are those of the properties after renames, without escapes.
 */
export const Tag = {
	/** Whole: id, parent (or ABSENT), old key (or ABSENT), fields as an ENTITY has them, count of stray microseconds. */
	ROOT: 1,
	ABSENT: 2,
	NULL: 3,
	FALSE: 4,
	TRUE: 5,
	/** 64-bit integer. */
	INTEGER: 6,
	/** 64 bits; all NaN are one. */
	DOUBLE: 7,
	/** 64-bit integer of microseconds since 1970. */
	TIMESTAMP: 8,
	TEXT: 9,
	/** Length, bytes. */
	BLOB: 10,
	/** Latitude and longitude, 64 bits each. */
	POINT: 11,
	/** 12 bytes. */
	OBJECT_ID: 12,
	/** Text of a kind, then a value. */
	REFERENCE: 13,
	/** A key that has no new id, as an ENTITY of its parts. */
	KEPT: 14,
	/** Count, values. */
	ARRAY: 15,
	/** Own key (or ABSENT), count, names each before its value. */
	ENTITY: 16,
	/** What no entity becomes: BSON type, length, bytes. */
	FOREIGN: 17,
} as const;

const NAN = 0x7ff8000000000000n;
/** Made at once for this many bytes of canonical forms, and more for larger ones. */
const SLAB = 64 * 1024;
/** Up to here a loop over the letters of a text is faster than a call. */
const SHORT = 40;

/** Writes canonical forms one after another; what `take` gave back is not written to any more, but keeps its slab in memory. */
export class CanonicalWriter {
	#slab = Buffer.allocUnsafeSlow(SLAB);
	#start = 0;
	#at = 0;

	/** Drops what a form that was not finished has written. */
	begin(): void {
		this.#at = this.#start;
	}

	take(): Buffer {
		const form = this.#slab.subarray(this.#start, this.#at);
		this.#start = this.#at;
		return form;
	}

	#room(bytes: number): void {
		if (this.#at + bytes <= this.#slab.length) return;
		const used = this.#at - this.#start;
		const slab = Buffer.allocUnsafeSlow(Math.max(SLAB, 2 * (used + bytes)));
		this.#slab.copy(slab, 0, this.#start, this.#at);
		this.#slab = slab;
		this.#start = 0;
		this.#at = used;
	}

	tag(tag: number): void {
		this.#room(1);
		this.#slab[this.#at++] = tag;
	}

	/** 0 to 2^32 - 1. */
	count(value: number): void {
		this.#room(4);
		this.#at = this.#slab.writeUInt32LE(value, this.#at);
	}

	/** Room for a count that is not known yet; gives back what `counted` wants. */
	uncounted(): number {
		this.count(0);
		return this.#at - 4 - this.#start;
	}

	counted(mark: number, value: number): void {
		this.#slab.writeUInt32LE(value, this.#start + mark);
	}

	/** A whole number that a double holds exactly. */
	wholeNumber(value: number): void {
		this.#room(8);
		this.#slab.writeInt32LE(value | 0, this.#at);
		this.#slab.writeInt32LE(Math.floor(value / 2 ** 32) | 0, this.#at + 4);
		this.#at += 8;
	}

	wholeBigInt(value: bigint): void {
		this.#room(8);
		this.#at = this.#slab.writeBigInt64LE(value, this.#at);
	}

	double(value: number): void {
		if (Number.isNaN(value)) {
			this.wholeBigInt(NAN);
			return;
		}
		this.#room(8);
		this.#at = this.#slab.writeDoubleLE(value, this.#at);
	}

	/** Length and text. */
	text(text: string): void {
		const most = text.length * 3;
		this.#room(most + 4);
		const start = this.#at + 4;
		const bytes = this.#ascii(text, start) ? text.length : this.#slab.write(text, start, most, "utf8");
		this.#slab.writeUInt32LE(bytes, this.#at);
		this.#at = start + bytes;
	}

	#ascii(text: string, start: number): boolean {
		if (text.length > SHORT) return false;
		const slab = this.#slab;
		for (let index = 0; index < text.length; index++) {
			const unit = text.charCodeAt(index);
			if (unit > 0x7f) return false;
			slab[start + index] = unit;
		}
		return true;
	}

	/** Bytes as they are. */
	bytes(from: Uint8Array, start: number, end: number): void {
		const length = end - start;
		this.#room(length);
		if (length <= SHORT) {
			const slab = this.#slab;
			const to = this.#at - start;
			for (let index = start; index < end; index++) slab[to + index] = from[index] as number;
		} else {
			this.#slab.set(from.subarray(start, end), this.#at);
		}
		this.#at += length;
	}
}

/** SHA-256 of a canonical form, 32 bytes. */
export const digestOf = (canonical: Uint8Array): Buffer => hash("sha256", canonical, "buffer");
