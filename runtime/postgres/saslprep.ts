import { LEFT_TO_RIGHT, NOTHING, PROHIBITED, RIGHT_TO_LEFT, SPACES, within } from "./saslprepTables.ts";

const codesOf = (text: string): number[] => [...text].map((char) => char.codePointAt(0)!);
const isControl = (code: number): boolean => code < 0x20 || code === 0x7f;
const isLetter = (code: number): boolean => /^[A-Za-z]$/.test(String.fromCodePoint(code));
const isRightToLeft = (code: number): boolean => within(RIGHT_TO_LEFT, code);
const isLeftToRight = (code: number): boolean => isLetter(code) || within(LEFT_TO_RIGHT, code);

/** RFC 4013's mapping, the code points before normalization. */
const mapped = (password: string): number[] =>
	codesOf(password)
		.map((code) => (within(SPACES, code) ? 0x20 : code))
		.filter((code) => !within(NOTHING, code));

/**
 * The password as PostgreSQL and libpq hash it: SASLprep (RFC 4013), and unchanged where SASLprep refuses it. As there,
 * ASCII passes as it is, control characters too, and what is prohibited is looked for before normalization.
 */
export function prepare(password: string): string {
	// biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII includes them
	if (/^[\x00-\x7f]*$/.test(password)) return password;
	const codes = mapped(password);
	if (codes.length === 0) return password;
	if (codes.some((code) => isControl(code) || within(PROHIBITED, code))) return password;
	if (codes.some(isRightToLeft)) {
		if (codes.some(isLeftToRight)) return password;
		if (!isRightToLeft(codes[0]!) || !isRightToLeft(codes.at(-1)!)) return password;
	}
	return String.fromCodePoint(...codes).normalize("NFKC");
}

/**
 * Whether drivers that map and normalize without SASLprep's checks, such as `pg`, send the same bytes as libpq. Not so,
 * for instance, where an emoji stands beside a ligature.
 */
export const isPortable = (password: string): boolean =>
	String.fromCodePoint(...mapped(password)).normalize("NFKC") === prepare(password);
