import { isUtf8 } from "node:buffer";
import { JsonGrammar, type Use } from "./jsonGrammar.ts";
import type { PathNode } from "./jsonPath.ts";
import { BAD, ContentProblem, END, number, numberState, string, WORDS } from "./jsonTokens.ts";

/** An id as it stands in the contents: text, or a number's digits. */
export type Found = { text: string } | { digits: string };
/** The JSON token that replaces an id; `undefined`: there is none for it. */
export type Replace = (kind: string, found: Found) => string | undefined;

type Token = "string" | "number" | "word";

const NONE = Buffer.alloc(0);
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Longer ids and names are none that a map or a path has. */
const LONGEST = 64 * 1024;

/** Where in a string something else than plain text comes, or the chunk ends. */
function endOfText(chunk: Buffer, from: number): number {
	let at = from;
	for (; at < chunk.length; at++) {
		const byte = chunk[at] as number;
		if (byte === QUOTE || byte === BACKSLASH || byte < 0x20) break;
	}
	return at;
}

/**
 * Replaces ids in JSON as it streams through, and leaves every other byte as it is. Holds no more than one id and the
 * containers around it. Throws ContentProblem for text that is not JSON, and for ids that have no replacement.
 */
export class JsonEditor {
	readonly #grammar: JsonGrammar;
	readonly #replace: Replace;
	#token: Token | undefined;
	#state = 0;
	#word: Buffer = NONE;
	#use: Use = "none";
	/** Of the token under way, where it is of use: its bytes of earlier chunks. */
	#held: Buffer = NONE;

	/** `lines`: values on lines of their own, instead of one. */
	constructor(options: { paths: PathNode; lines: boolean; replace: Replace }) {
		this.#grammar = new JsonGrammar(options.paths, options.lines);
		this.#replace = options.replace;
	}

	/** What of the result is certain after these bytes. */
	push(chunk: Buffer): Buffer[] {
		const out: Buffer[] = [];
		let [passed, start] = [0, 0];
		for (let at = 0; at < chunk.length; ) {
			if (this.#token === undefined) {
				start = at;
				this.#between(chunk[at++] as number);
				continue;
			}
			at = this.#within(chunk, at);
			if (this.#token !== undefined) continue;
			const result = this.#finish(chunk, start, at);
			if (result === undefined) continue;
			out.push(chunk.subarray(passed, start), result);
			passed = at;
		}
		out.push(chunk.subarray(passed, this.#hold(chunk, start)));
		return out.filter(({ length }) => length > 0);
	}

	/** The end of the contents: what was held back. */
	end(): Buffer[] {
		let result: Buffer | undefined;
		if (this.#token === "number" && number(this.#state, QUOTE) === END) {
			this.#token = undefined;
			result = this.#finish(NONE, 0, 0);
		}
		if (this.#token !== undefined) throw this.#grammar.malformed("it ends too early");
		this.#grammar.finish();
		return result === undefined ? [] : [result];
	}

	#between(byte: number): void {
		if (this.#grammar.structure(byte)) return;
		const isNumber = byte === 0x2d || (byte >= 0x30 && byte <= 0x39);
		const word = byte === QUOTE || isNumber ? undefined : WORDS.get(byte);
		if (byte !== QUOTE && !isNumber && word === undefined) throw this.#grammar.malformed("nothing begins like this");
		this.#use = this.#grammar.begin(byte === QUOTE);
		this.#token = byte === QUOTE ? "string" : isNumber ? "number" : "word";
		this.#state = isNumber ? numberState(byte) : word === undefined ? 0 : 1;
		this.#word = word ?? NONE;
	}

	/** Goes on in a token, to where it ends or the chunk does. Without a token afterwards it has ended. */
	#within(chunk: Buffer, from: number): number {
		let at = from;
		for (; at < chunk.length; at++) {
			if (this.#token === "string" && this.#state === 0) at = endOfText(chunk, at);
			if (at === chunk.length) return at;
			const byte = chunk[at] as number;
			this.#state = this.#next(byte);
			if (this.#state === BAD) throw this.#grammar.malformed(`a ${this.#token} is not well formed`);
			if (this.#state === END) break;
		}
		if (at === chunk.length) return at;
		// A number ends before the byte that is none of it.
		const end = this.#token === "number" ? at : at + 1;
		this.#token = undefined;
		return end;
	}

	#next(byte: number): number {
		if (this.#token === "string") return string(this.#state, byte);
		if (this.#token === "number") return number(this.#state, byte);
		if (this.#word[this.#state] !== byte) return BAD;
		return this.#state + 1 === this.#word.length ? END : this.#state + 1;
	}

	/** Keeps what may be needed of a token that goes on in the next chunk. Where what may be passed on ends. */
	#hold(chunk: Buffer, start: number): number {
		if (this.#token === undefined || this.#use === "none") return chunk.length;
		this.#held = Buffer.concat([this.#held, chunk.subarray(start)]);
		if (this.#held.length > LONGEST) this.#giveUp();
		return this.#use === "id" ? start : chunk.length;
	}

	#giveUp(): void {
		if (this.#use === "id") throw this.#problem("UNMAPPED", "an id is longer than any");
		this.#use = "none";
		this.#held = NONE;
	}

	/** A token, whose last bytes are these of a chunk: what replaces it, where it is an id. */
	#finish(chunk: Buffer, start: number, end: number): Buffer | undefined {
		if (this.#use === "none") {
			this.#grammar.ended();
			return undefined;
		}
		const last = chunk.subarray(start, end);
		const token = this.#held.length === 0 ? last : Buffer.concat([this.#held, last]);
		this.#held = NONE;
		const result = this.#use === "id" ? this.#replaced(token) : undefined;
		this.#grammar.ended(result === undefined ? this.#textOf(token) : undefined);
		return result;
	}

	#replaced(token: Buffer): Buffer {
		const first = token[0] as number;
		// No id is no wrong one.
		if (first === 0x6e) return token;
		const text = first === QUOTE ? this.#textOf(token) : token.toString("latin1");
		if (first !== QUOTE && !/^[1-9]\d{0,18}$/.test(text))
			throw this.#problem("NOT_AN_ID", "something else stands for an id");
		const found = first === QUOTE ? { text } : { digits: text };
		const result = text.isWellFormed() ? this.#replace(this.#grammar.kind as string, found) : undefined;
		if (result === undefined) throw this.#problem("UNMAPPED", `an id of ${this.#grammar.kind} is not in the id map`);
		return Buffer.from(result);
	}

	#textOf(token: Buffer): string {
		if (!isUtf8(token)) throw this.#grammar.malformed("a text is not UTF-8");
		if (token.includes(BACKSLASH)) return JSON.parse(token.toString());
		return token.toString("utf8", 1, token.length - 1);
	}

	#problem(code: ContentProblem["code"], why: string): ContentProblem {
		return new ContentProblem(code, `line ${this.#grammar.line}: ${why}`);
	}
}
