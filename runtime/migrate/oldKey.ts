import { HoldfastError } from "../errors.ts";

/** One step of a Datastore path: a kind with an integer id (decimal text, 1 to 2^63 - 1) or a name. */
export type PathElement = { kind: string; id: string } | { kind: string; name: string };

/** A complete key of the source. Ids that name objects of a bucket are keys of one element. */
export interface OldKey {
	/** "" is the default namespace. */
	namespace: string;
	path: readonly PathElement[];
}

const ID = 0x01;
const NAME = 0x02;
const MAX_ID = 2n ** 63n - 1n;

/** What a key is put together in, before it is copied out: an encoded key is at most a few times 6 KiB. */
let scratch = Buffer.allocUnsafe(16_384);
let end = 0;

function reserve(bytes: number): void {
	if (end + bytes <= scratch.length) return;
	const larger = Buffer.allocUnsafe(2 * (end + bytes));
	scratch.copy(larger, 0, 0, end);
	scratch = larger;
}

/** NUL is doubled by 0xff, and ends as 0x00 0x01: shorter texts sort first, whatever follows them. */
function putText(text: string): void {
	reserve(text.length + 2);
	for (let i = 0; i < text.length; i++) {
		const unit = text.charCodeAt(i);
		if (unit === 0 || unit > 0x7f) {
			putRest(text.slice(i));
			return;
		}
		scratch[end++] = unit;
	}
	scratch[end++] = 0;
	scratch[end++] = 1;
}

/** As `putText`, of a text that is not plain ASCII. */
function putRest(text: string): void {
	if (!text.isWellFormed()) throw new RangeError("a name or kind is not well-formed Unicode");
	const bytes = Buffer.from(text, "utf8");
	reserve(2 * bytes.length + 2);
	for (const byte of bytes) {
		scratch[end++] = byte;
		if (byte === 0) scratch[end++] = 0xff;
	}
	scratch[end++] = 0;
	scratch[end++] = 1;
}

/** Eight bytes, the highest first. Ids that the service allots are below 2^53: those need no BigInt. */
function putId(id: string): void {
	if (!/^[1-9]\d{0,18}$/.test(id)) throw new RangeError("an id is a whole number from 1 to 2^63 - 1");
	reserve(8);
	const value = Number(id);
	if (Number.isSafeInteger(value)) {
		scratch.writeUInt32BE(Math.floor(value / 2 ** 32), end);
		scratch.writeUInt32BE(value >>> 0, end + 4);
	} else {
		const exact = BigInt(id);
		if (exact > MAX_ID) throw new RangeError("an id is a whole number from 1 to 2^63 - 1");
		scratch.writeBigUInt64BE(exact, end);
	}
	end += 8;
}

/**
 * A key as bytes whose order is Datastore's own: ids before names, ids by number, names and kinds by UTF-8 bytes, a
 * parent before its children. Two keys are equal exactly when their bytes are. RangeError for what no key is: an id
 * beyond 2^63 - 1 or with zeros before it, a text with half a surrogate pair.
 */
export function encodeKey({ namespace, path }: OldKey): Buffer {
	end = 0;
	putText(namespace);
	for (const element of path) {
		putText(element.kind);
		reserve(1);
		if ("id" in element) {
			scratch[end++] = ID;
			putId(element.id);
		} else {
			scratch[end++] = NAME;
			putText(element.name);
		}
	}
	const key = Buffer.allocUnsafe(end);
	scratch.copy(key, 0, 0, end);
	return key;
}

class Reader {
	readonly #bytes: Buffer;
	at = 0;

	constructor(bytes: Buffer) {
		this.#bytes = bytes;
	}

	get done(): boolean {
		return this.at >= this.#bytes.length;
	}

	byte(): number {
		const byte = this.#bytes[this.at++];
		if (byte === undefined) throw damaged();
		return byte;
	}

	/** Goes past a text. */
	skip(): { from: number; to: number; escaped: boolean } {
		const from = this.at;
		for (let escaped = false; ; escaped = true) {
			const zero = this.#bytes.indexOf(0, this.at);
			if (zero === -1 || zero + 1 >= this.#bytes.length) throw damaged();
			this.at = zero + 2;
			if (this.#bytes[zero + 1] !== 0xff) return { from, to: zero, escaped };
		}
	}

	text(): string {
		const { from, to, escaped } = this.skip();
		if (!escaped) return this.#bytes.toString("utf8", from, to);
		const plain = this.#bytes.toString("latin1", from, to).replaceAll("\0\xff", "\0");
		return Buffer.from(plain, "latin1").toString("utf8");
	}

	id(): string {
		if (this.at + 8 > this.#bytes.length) throw damaged();
		this.at += 8;
		return this.#bytes.readBigUInt64BE(this.at - 8).toString();
	}
}

const damaged = () => new HoldfastError("HF_DAMAGED", "an encoded key of the source is cut off");

/** What `encodeKey` wrote. HF_DAMAGED for other bytes. */
export function decodeKey(bytes: Buffer): OldKey {
	const reader = new Reader(bytes);
	const namespace = reader.text();
	const path: PathElement[] = [];
	while (!reader.done) {
		const kind = reader.text();
		const tag = reader.byte();
		if (tag !== ID && tag !== NAME) throw damaged();
		path.push(tag === ID ? { kind, id: reader.id() } : { kind, name: reader.text() });
	}
	return { namespace, path };
}

/**
 * Where the ancestors of an encoded key end in it, the outermost first: an ancestor's bytes are the beginning of its
 * descendants'.
 */
export function ancestorEnds(key: Buffer): number[] {
	const reader = new Reader(key);
	const ends: number[] = [];
	reader.skip();
	while (!reader.done) {
		reader.skip();
		if (reader.byte() === ID) reader.at += 8;
		else reader.skip();
		if (!reader.done) ends.push(reader.at);
	}
	return ends;
}

/** The kind of an encoded key: that of its last step. */
export function kindOf(key: Buffer): string {
	const from = ancestorEnds(key).at(-1);
	const reader = new Reader(key);
	if (from === undefined) reader.skip();
	else reader.at = from;
	return reader.text();
}

/** For people, logs and dead letters: `Account:5/Dataset:"a b"`, with `namespace!` before it unless that is the default. */
export function keyText({ namespace, path }: OldKey): string {
	const steps = path.map((step) => `${step.kind}:${"id" in step ? step.id : JSON.stringify(step.name)}`);
	return `${namespace === "" ? "" : `${namespace}!`}${steps.join("/")}`;
}
