/** Names that a document has for its own use, by where they stand; a property of such a name is escaped. */
export const RESERVED_AT_ROOT: ReadonlySet<string> = new Set(["_id", "_parent", "_old", "_micros"]);
export const RESERVED_INSIDE: ReadonlySet<string> = new Set(["_key", "_missing"]);

const ESCAPES: Record<string, string> = { "%": "%25", ".": "%2E", "\0": "%00" };

/**
 * A property's name as that of a field: `%`, `.`, NUL, a leading `$`, and the first letter of a reserved name become
 * percent escapes, the empty name becomes `%`. `unescapeName` reverses it; no two names become one.
 */
export function escapeName(name: string, reserved: ReadonlySet<string>): string {
	if (name === "") return "%";
	if (reserved.has(name)) return escapeFirst(name);
	const escaped = name.replace(/[%.\0]/g, (found) => ESCAPES[found] as string);
	return escaped.startsWith("$") ? `%24${escaped.slice(1)}` : escaped;
}

/** For a name that is free by itself, but would be misread beside its neighbours: `type` -> `%74ype`. */
export const escapeFirst = (name: string): string =>
	`%${name.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}${name.slice(1)}`;

/** The property's name that a field stands for; undefined for a field that no property is ever written as. */
export function unescapeName(field: string, reserved: ReadonlySet<string>): string | undefined {
	if (field === "%") return "";
	const name = field.replace(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
	const lookalike = reserved === RESERVED_INSIDE && LOOKALIKES.has(name) && escapeFirst(name) === field;
	return lookalike || escapeName(name, reserved) === field ? name : undefined;
}

/** Escaped where an embedded entity would be read as a GeoJSON point or as a typed reference. */
const LOOKALIKES: ReadonlySet<string> = new Set(["type", "kind"]);

/** Code units above the surrogates come before them in UTF-8. */
const rank = (unit: number): number => (unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800);

/** The order of the UTF-8 bytes. */
export function compareUtf8(a: string, b: string): number {
	const length = Math.min(a.length, b.length);
	for (let at = 0; at < length; at++) {
		const difference = rank(a.charCodeAt(at)) - rank(b.charCodeAt(at));
		if (difference !== 0) return difference;
	}
	return a.length - b.length;
}

/** Whether MongoDB takes it for a collection. */
export const isCollectionName = (name: string): boolean => !/[$\0]|^\.|\.$|\.\.|^system\./.test(name);

/** A kind as the name of a collection: what MongoDB refuses there is escaped, reversibly. */
export function collectionName(kind: string): string {
	const escaped = kind
		.replace(/[%\0]|^\.|\.$|(?<=\.)\./g, (found) => ESCAPES[found] as string)
		.replaceAll("$", () => "%24");
	return escaped.startsWith("system.") ? escapeFirst(escaped) : escaped;
}
