import { sha256 } from "../../sha256.ts";

/** What a comparison saw of one object on either side; the same text where they are equal. */
export interface Seen {
	source: string;
	/** Absent where there is no copy. */
	target?: string;
}

/** Digests over what was seen on both sides, in the order of names: `source:target` as hex, from the same of the page before. */
export function rolled(carry: string | undefined, seen: readonly Seen[]): string {
	let [source = "", target = ""] = (carry ?? "").split(":");
	for (const one of seen) {
		source = sha256(`${source}\n${one.source}`);
		if (one.target !== undefined) target = sha256(`${target}\n${one.target}`);
	}
	return `${source}:${target}`;
}
