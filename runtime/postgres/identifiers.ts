/** Longest name in bytes (NAMEDATALEN - 1): the server cuts what is longer, so that it would be another name. */
export const MAX_NAME_BYTES = 63;

export const byteLength = (text: string): number => new TextEncoder().encode(text).length;

/** A name as SQL text; any characters but NUL. */
export const quoteIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A text as SQL text, whatever `standard_conforming_strings` says; any characters but NUL. */
export function quoteLiteral(text: string): string {
	const quoted = `'${text.replaceAll("'", "''").replaceAll("\\", "\\\\")}'`;
	return text.includes("\\") ? `E${quoted}` : quoted;
}

/** A setting's name as SQL text: `app.tenant` has two parts. */
export const quoteSetting = (name: string): string => name.split(".").map(quoteIdentifier).join(".");

/** The names in a list as PostgreSQL writes and reads it, e.g. `"$user", public`: unquoted ones in lower case. */
export function splitIdentifiers(list: string): string[] {
	const names = list.matchAll(/\s*(?:"((?:[^"]|"")*)"|([^",]*))\s*(?:,|$)/g);
	return [...names]
		.map(([, quoted, plain = ""]) => quoted?.replaceAll('""', '"') ?? plain.trim().toLowerCase())
		.filter((name) => name !== "");
}
