import { HoldfastError } from "../../errors.ts";
import type { IdMap } from "../idmap/idMap.ts";
import { encodeKey, type OldKey } from "../oldKey.ts";

/** A stretch of a name: fixed text, or what varies. `name` and `id` are old ids of a kind, as text and as a whole number. */
type Part = { is: "text"; text: string } | { is: "name" | "id"; of: string } | { is: "segment" } | { is: "rest" };
type Varying = Exclude<Part, { is: "text" }>;

/** Names of objects of one form: `datasets/{Dataset}/**`. They are taken below the prefix of their place. */
export interface Shape {
	/** As it was written. */
	text: string;
	parts: readonly Part[];
	pattern: RegExp;
}

const WORDS = /\{([^{}#*/]+)(#?)\}|\*\*|\*|\{|\}/g;
const MAX_ID = 2n ** 63n - 1n;
const PATTERNS = { name: "([^/]+)", id: "([1-9][0-9]{0,18})", segment: "([^/]*)", rest: "(.*)" };

/**
 * Reads a shape: `{Kind}` is an old id that is a name (no slash in it), `{Kind#}` one that is a whole number, `*` anything
 * without a slash, `**` anything at all. HF_SETTING for a text that could fit one name in two ways.
 */
export function parseShape(text: string): Shape {
	const parts: Part[] = [];
	let at = 0;
	for (const word of text.matchAll(WORDS)) {
		if (word.index > at) parts.push({ is: "text", text: text.slice(at, word.index) });
		parts.push(partOf(text, word));
		at = word.index + word[0].length;
	}
	if (at < text.length) parts.push({ is: "text", text: text.slice(at) });
	const doubt = doubtful(parts);
	if (doubt !== undefined) throw refused(text, doubt);
	const source = parts.map((part) => (part.is === "text" ? escaped(part.text) : PATTERNS[part.is])).join("");
	return { text, parts, pattern: new RegExp(`^${source}$`, "su") };
}

function partOf(text: string, [word, kind, whole]: RegExpExecArray): Part {
	if (kind !== undefined) return { is: whole === "#" ? "id" : "name", of: kind };
	if (word === "**") return { is: "rest" };
	if (word === "*") return { is: "segment" };
	throw refused(text, "a brace stands alone: write {Kind} or {Kind#}");
}

const refused = (text: string, why: string) =>
	new HoldfastError("HF_SETTING", `the shape ${JSON.stringify(text)} is refused: ${why}`, {
		next: "write shapes such as datasets/{Dataset}/**, with one part that varies between two slashes",
	});

const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/]/gu, "\\$&");

/**
 * Why a name could fit in two ways. Fixed slashes divide a shape from both ends up to its one `**`; between two of them
 * one part may be of any length, and whole numbers end where their digits do.
 */
function doubtful(parts: readonly Part[]): string | undefined {
	if (parts.filter(({ is }) => is === "rest").length > 1) return "** stands in it twice";
	let open = false;
	for (const [index, part] of parts.entries()) {
		if (part.is === "text") {
			if (part.text.includes("/")) open = false;
			continue;
		}
		const [before, after] = [parts[index - 1], parts[index + 1]];
		if (after !== undefined && after.is !== "text") return "two parts that vary stand side by side";
		if (part.is === "id") {
			if (before?.is === "text" && /\d$/.test(before.text)) return "a digit stands before a whole number";
			if (after?.is === "text" && /^\d/.test(after.text)) return "a digit stands after a whole number";
			continue;
		}
		if (open) return "two parts that may be of any length have no slash between them";
		open = true;
	}
	return undefined;
}

/** What the varying parts of a name are, in their order. `undefined`: the name is not of this shape. */
export function match(shape: Shape, name: string): string[] | undefined {
	const found = shape.pattern.exec(name)?.slice(1);
	if (found === undefined) return undefined;
	const fits = varying(shape).every((part, index) => part.is !== "id" || BigInt(found[index] as string) <= MAX_ID);
	return fits ? found : undefined;
}

/** Old ids in a name, in their order; none where the name is not of this shape. */
export function idsOf(shape: Shape, name: string): OldKey[] {
	const found = match(shape, name);
	if (found === undefined) return [];
	return varying(shape).flatMap((part, index) => keyOf(part, found[index] as string) ?? []);
}

const varying = (shape: Shape) => shape.parts.filter((part): part is Varying => part.is !== "text");

function keyOf(part: Varying, text: string): OldKey | undefined {
	if (part.is === "name") return { namespace: "", path: [{ kind: part.of, name: text }] };
	if (part.is === "id") return { namespace: "", path: [{ kind: part.of, id: text }] };
	return undefined;
}

/** HF_SETTING unless `to` has the varying parts of `shape`, in their order. */
export function checkTarget(shape: Shape, to: Shape): void {
	const [wanted, given] = [varying(shape), varying(to)].map((parts) => JSON.stringify(parts));
	if (wanted !== given) throw refused(to.text, `it has not the parts of ${JSON.stringify(shape.text)} in their order`);
}

export type Renamed = { name: string } | { unmapped: OldKey };

/** A name with new ids in it, in the form of `to`. `undefined`: the name is not of this shape. */
export function rename(shape: Shape, to: Shape, name: string, map: IdMap): Renamed | undefined {
	const found = match(shape, name);
	if (found === undefined) return undefined;
	let index = 0;
	let renamed = "";
	for (const part of to.parts) {
		if (part.is === "text") {
			renamed += part.text;
			continue;
		}
		const old = found[index++] as string;
		const key = keyOf(part, old);
		const id = key === undefined ? old : map.lookup(encodeKey(key));
		if (id === undefined) return { unmapped: key as OldKey };
		renamed += id;
	}
	return { name: renamed };
}
