import { pipeline, type Readable, Transform } from "node:stream";
import { createGunzip, createGzip } from "node:zlib";
import { Checksum } from "../../gcs/checksum.ts";
import type { IdMap } from "../idmap/idMap.ts";
import { encodeKey, type PathElement } from "../oldKey.ts";
import type { ObjectRule } from "../rules.ts";
import { JsonEditor, type Replace } from "./jsonEditor.ts";
import { type PathNode, parsePaths } from "./jsonPath.ts";
import { ContentProblem } from "./jsonTokens.ts";

/** How the contents of a rule's objects are remapped. */
export interface ContentRule {
	lines: boolean;
	paths: PathNode;
}

/** HF_SETTING for paths that are refused. */
export const contentRule = ({ format, ids }: NonNullable<ObjectRule["content"]>): ContentRule => ({
	lines: format === "ndjson",
	paths: parsePaths(ids),
});

/** New ids as JSON tokens: text stays text, and a number becomes one where new ids are numbers. */
export function replacer(map: IdMap): Replace {
	return (kind, found) => {
		const step: PathElement = "text" in found ? { kind, name: found.text } : { kind, id: found.digits };
		const id = idOf(map, step);
		if (id === undefined) return undefined;
		return map.format === "integer" && "digits" in found ? id : JSON.stringify(id);
	};
}

function idOf(map: IdMap, step: PathElement): string | undefined {
	if ("id" in step && BigInt(step.id) >= 2n ** 63n) return undefined;
	return map.lookup(encodeKey({ namespace: "", path: [step] }));
}

/**
 * Contents with new ids in them, as a stream; what is stored as gzip is packed again. Its error is a ContentProblem when
 * the contents are not what the rule says.
 */
export function remapped(
	stored: Readable,
	rule: ContentRule,
	encoding: string | undefined,
	replace: Replace,
): Readable {
	const edited = editing(unpacked(stored, encoding), rule, replace);
	return isPacked(encoding) ? pipeline(edited, createGzip(), () => {}) : edited;
}

/** What digest the contents have once they are remapped, not packed. */
export async function remappedDigest(
	stored: Readable,
	rule: ContentRule,
	encoding: string | undefined,
	replace: Replace,
) {
	return digestOf(editing(unpacked(stored, encoding), rule, replace));
}

/** Digest of contents, not packed: gzip may pack the same contents in many ways. */
export const contentDigest = (stored: Readable, encoding: string | undefined) => digestOf(unpacked(stored, encoding));

export const isPacked = (encoding: string | undefined): boolean => encoding === "gzip";

async function digestOf(contents: Readable): Promise<{ crc32c: string; size: number }> {
	const sum = new Checksum();
	for await (const piece of contents) sum.update(piece);
	return { crc32c: sum.crc32c, size: sum.size };
}

function unpacked(stored: Readable, encoding: string | undefined): Readable {
	if (encoding === undefined || encoding === "" || encoding === "identity") return stored;
	if (isPacked(encoding)) return pipeline(stored, createGunzip(), () => {});
	stored.destroy();
	throw new ContentProblem("ENCODING", "contents with ids are read as they are or as gzip, not in another encoding");
}

function editing(contents: Readable, { lines, paths }: ContentRule, replace: Replace): Readable {
	const editor = new JsonEditor({ lines, paths, replace });
	const stream = new Transform({
		transform: (chunk, _encoding, done) => handOn(() => editor.push(chunk), done),
		flush: (done) => handOn(() => editor.end(), done),
	});
	return pipeline(contents, stream, () => {});
}

function handOn(edit: () => Buffer[], done: (error: Error | null, bytes?: Buffer) => void): void {
	let bytes: Buffer;
	try {
		bytes = Buffer.concat(edit());
	} catch (error) {
		done(error as Error);
		return;
	}
	done(null, bytes);
}
