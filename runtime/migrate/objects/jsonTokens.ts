/** Why contents cannot be read or remapped. Tells a line, never what stands there. */
export class ContentProblem extends Error {
	override readonly name = "ContentProblem";
	/** Short and stable, for dead letters. */
	readonly code: "MALFORMED" | "UNMAPPED" | "NOT_AN_ID" | "TOO_DEEP" | "ENCODING";
	constructor(code: ContentProblem["code"], message: string) {
		super(message);
		this.code = code;
	}
}

/** The next state of a token after a byte: `END` when a text ends with it or a number before it, `BAD` when it may not stand there. */
export type Scalar = (state: number, byte: number) => number;
export const END = -1;
export const BAD = -2;

const digit = (byte: number) => byte >= 0x30 && byte <= 0x39;
const hex = (byte: number) => digit(byte) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);

/** States: 0 after the minus, 1 zero, 2 digits, 3 after the point, 4 fraction, 5 after e, 6 after its sign, 7 exponent. */
export const number: Scalar = (state, byte) => {
	if (digit(byte)) {
		if (state === 0) return byte === 0x30 ? 1 : 2;
		if (state === 1) return BAD;
		return state === 3 ? 4 : state === 5 || state === 6 ? 7 : state;
	}
	if (byte === 0x2e) return state === 1 || state === 2 ? 3 : BAD;
	if (byte === 0x65 || byte === 0x45) return state === 1 || state === 2 || state === 4 ? 5 : BAD;
	if (byte === 0x2b || byte === 0x2d) return state === 5 ? 6 : BAD;
	return state === 1 || state === 2 || state === 4 || state === 7 ? END : BAD;
};
export const numberState = (byte: number): number => (byte === 0x2d ? 0 : byte === 0x30 ? 1 : 2);

const ESCAPES = new Set([...'"\\/bfnrt'].map((letter) => letter.charCodeAt(0)));

/** States: 0 text, 1 after a backslash, 2 to 5 the hex digits that are awaited, END. */
export const string: Scalar = (state, byte) => {
	if (state === 0) {
		if (byte === 0x22) return END;
		if (byte === 0x5c) return 1;
		return byte < 0x20 ? BAD : 0;
	}
	if (state === 1) return byte === 0x75 ? 2 : ESCAPES.has(byte) ? 0 : BAD;
	if (!hex(byte)) return BAD;
	return state === 5 ? 0 : state + 1;
};

/** `true`, `false` and `null`, by their first letters. */
export const WORDS: ReadonlyMap<number, Buffer> = new Map(
	["true", "false", "null"].map((word) => [word.charCodeAt(0), Buffer.from(word)]),
);
