import { z } from "zod";
import { HoldfastError } from "../../errors.ts";
import { sha256 } from "../../sha256.ts";

const digestSchema = z.string().regex(/^[0-9a-f]{64}$/);

/** Where old keys came from, as it is told in a manifest. */
const sourceSchema = z.strictObject({
	kind: z.enum(["datastore", "objects", "file"]),
	/** `projects/p/databases/d`, `gs://bucket/prefix`, or the file's own name. */
	name: z.string(),
	/** What was taken of it: kinds and namespaces, shapes. */
	of: z.array(z.string()).optional(),
	/** ISO 8601; absent where reads were not pinned. */
	readTime: z.string().optional(),
});
export type SourceNote = z.output<typeof sourceSchema>;

/** What a segment's file says about itself. */
const infoSchema = z.strictObject({
	version: z.literal(1),
	name: z.string(),
	strategy: z.enum(["deterministic", "random", "sequential"]),
	format: z.enum(["hex", "uuid", "objectId", "integer"]),
	segment: z.number().int().min(0),
	/** Pairs in this segment. */
	count: z.number().int().min(0),
	/** Pairs in the segments before it. */
	before: z.number().int().min(0),
	/** All distinct old keys that the sources had, in order, each with its length before it (4 bytes): count and SHA-256. */
	keys: z.strictObject({ count: z.number().int(), sha256: digestSchema }),
	sources: z.array(sourceSchema),
	/** Version of the program that built it. */
	tool: z.string(),
	/** SHA-256 of the manifest of the segment before. */
	previous: digestSchema.nullable(),
});
export type SegmentInfo = z.output<typeof infoSchema>;

/** `undefined`: the text is none. */
export function parseInfo(text: string): SegmentInfo | undefined {
	try {
		return infoSchema.parse(JSON.parse(text));
	} catch {
		return undefined;
	}
}

/** `segment-0000.json`: written last, so a segment without it was never built. */
const manifestSchema = infoSchema.extend({
	/** Of the segment's file: size, SHA-256 of all of it, and of its index, which has the digest of every block. */
	bytes: z.number().int(),
	sha256: digestSchema,
	index: digestSchema,
});
export type Manifest = z.output<typeof manifestSchema>;

export interface Link extends Manifest {
	/** SHA-256 of the manifest's own bytes: the hash of the map up to this segment. */
	hash: string;
}

export const segmentName = (segment: number): string => `segment-${String(segment).padStart(4, "0")}`;

/** The bytes of a manifest follow from its segment's file alone: whoever completes an interrupted build writes the same. */
export const manifestText = (manifest: Manifest): string =>
	`${JSON.stringify(manifestSchema.parse(manifest), null, "\t")}\n`;

/** HF_DAMAGED for a text that is no manifest. */
export function parseManifest(text: string, where: string): Link {
	const damaged = (cause?: unknown) =>
		new HoldfastError("HF_DAMAGED", `${where} is no manifest of an id map`, { cause });
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch (error) {
		throw damaged(error);
	}
	const parsed = manifestSchema.safeParse(value);
	if (!parsed.success) throw damaged(new Error(z.prettifyError(parsed.error)));
	return { ...parsed.data, hash: sha256(text) };
}

/** HF_DAMAGED unless each manifest follows from the one before. */
export function checkChain(links: readonly Link[], where: string): void {
	let before = 0;
	for (const [segment, link] of links.entries()) {
		const previous = links[segment - 1];
		const fits =
			link.segment === segment &&
			link.before === before &&
			link.previous === (previous?.hash ?? null) &&
			(["name", "strategy", "format"] as const).every((field) => link[field] === links[0]![field]);
		if (!fits)
			throw new HoldfastError(
				"HF_DAMAGED",
				`the manifest of segment ${segment} of the id map ${where} does not follow from the one before`,
			);
		before += link.count;
	}
}
