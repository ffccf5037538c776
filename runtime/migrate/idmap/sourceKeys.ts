import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { z } from "zod";
import { lastWholeMinute } from "../../datastore/readTime.ts";
import type { DatastoreSource, KeyRange } from "../../datastore/source.ts";
import { describe, HoldfastError } from "../../errors.ts";
import { openBucket } from "../../gcs/openBucket.ts";
import type { IdSource } from "../model.ts";
import { idsOf, parseShape } from "../objects/shape.ts";
import { encodeKey, type OldKey } from "../oldKey.ts";
import type { SourceNote } from "./manifest.ts";

/** Encoded old keys of a source, some at a time, in any order and with repetitions; and how it is told of in a manifest. */
export interface KeySource {
	pages(): AsyncGenerator<Buffer[]>;
	note: SourceNote;
	close(): Promise<void>;
}

type Of<K extends IdSource["kind"]> = Extract<IdSource, { kind: K }>;
const KEYS_PER_PAGE = 1000;

/** As `openSource`, `openBucket`; HF_SETTING for a shape that is none. */
export async function openKeySource(source: IdSource): Promise<KeySource> {
	switch (source.kind) {
		case "datastore":
			return datastoreKeys(source);
		case "objects":
			return objectKeys(source);
		case "file":
			return fileKeys(source);
	}
}

async function datastoreKeys(options: Of<"datastore">): Promise<KeySource> {
	const { project, database, retentionHours, emulator, readTime = lastWholeMinute() } = options;
	// Loaded where it is needed only: the client takes 60 MiB.
	const { openSource } = await import("../../datastore/open.ts");
	const source = await openSource({ project, database, retentionHours, emulator, readTime });
	return keysOf(source, options);
}

/** The keys of an open Datastore, which is closed with them. */
export function keysOf(
	source: DatastoreSource,
	{ namespaces, kinds }: Pick<Of<"datastore">, "namespaces" | "kinds">,
): KeySource {
	const named = (what: string, names: "all" | string[]) => (names === "all" ? [] : [`${what} ${names.join(", ")}`]);
	const of = [...named("namespaces", namespaces), ...named("kinds", kinds)];
	const { readTime } = source;
	return {
		async *pages() {
			for (const namespace of namespaces === "all" ? await source.namespaces() : namespaces) {
				const all = kinds === "all" ? await source.kinds(namespace) : kinds;
				for (const kind of all.filter((one) => kinds !== "all" || !one.startsWith("__")))
					yield* pagesOf(source, { namespace, kind });
			}
		},
		note: {
			kind: "datastore",
			name: source.name,
			...(of.length > 0 && { of }),
			...(source.pinned && readTime !== undefined && { readTime }),
		},
		close: () => source.close(),
	};
}

async function* pagesOf(source: DatastoreSource, range: KeyRange): AsyncGenerator<Buffer[]> {
	for (let after: Buffer | undefined; ; ) {
		const { keys, done } = await source.keys(range, after, KEYS_PER_PAGE);
		yield keys;
		if (done || keys.length === 0) return;
		after = keys.at(-1);
	}
}

function objectKeys({ bucket: name, prefix, endpoint, match }: Of<"objects">): KeySource {
	const shapes = match.map(parseShape);
	const bucket = openBucket({ bucket: name, endpoint });
	const keysIn = (object: string) => shapes.flatMap((shape) => idsOf(shape, object.slice(prefix.length)));
	return {
		async *pages() {
			for (let pageToken: string | undefined; ; ) {
				const page = await bucket.list({ prefix, ...(pageToken !== undefined && { pageToken }) });
				yield page.objects.flatMap((object) => keysIn(object.name).map(encodeKey));
				pageToken = page.nextPageToken;
				if (pageToken === undefined) return;
			}
		},
		note: { kind: "objects", name: `gs://${name}/${prefix}`, of: match },
		close: () => bucket.close(),
	};
}

function fileKeys({ path, of }: Of<"file">): KeySource {
	const name = basename(path);
	return {
		pages: () => keysOfLines(path, of),
		note: { kind: "file", name, ...(of !== undefined && { of: [`names of ${of}`] }) },
		close: async () => {},
	};
}

async function* keysOfLines(path: string, of: string | undefined): AsyncGenerator<Buffer[]> {
	let number = 0;
	for await (const lines of linesOf(path)) {
		const keys: Buffer[] = [];
		for (const line of lines) {
			number++;
			if (line !== "") keys.push(keyOfLine(line, of, `line ${number} of ${path}`));
		}
		yield keys;
	}
}

/** Lines without their ends, some at a time. */
async function* linesOf(path: string): AsyncGenerator<string[]> {
	let rest = "";
	try {
		for await (const chunk of createReadStream(path, { encoding: "utf8" })) {
			const lines = (rest + (chunk as string)).split("\n");
			rest = lines.pop()!;
			yield lines.map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
		}
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === undefined) throw error;
		throw new HoldfastError("HF_REJECTED", `the ids in ${path} cannot be read: ${describe(error)}`);
	}
	yield [rest];
}

const idSchema = z.union([z.string(), z.number().int().min(1).max(Number.MAX_SAFE_INTEGER).transform(String)]);
const stepSchema = z.union([
	z.strictObject({ kind: z.string().min(1), id: idSchema }),
	z.strictObject({ kind: z.string().min(1), name: z.string().min(1) }),
]);
const lineSchema = z.union([
	stepSchema.transform((step): OldKey => ({ namespace: "", path: [step] })),
	z.strictObject({ namespace: z.string().default(""), path: z.array(stepSchema).min(1) }),
]);

/** Never with the line in a message: it may be anybody's data. */
function keyOfLine(line: string, of: string | undefined, where: string): Buffer {
	try {
		return encodeKey(
			of === undefined ? lineSchema.parse(JSON.parse(line)) : { namespace: "", path: [{ kind: of, name: line }] },
		);
	} catch {
		throw new HoldfastError("HF_REJECTED", `${where} is no old key`, {
			next: 'write {"kind": "Dataset", "name": "a"}, {"kind": "Job", "id": "5"} or {"namespace": "", "path": [...]}, one a line',
		});
	}
}
