import { gzipSync } from "node:zlib";
import { migrationSchema, type ObjectsMigration } from "../../runtime/migrate/model.ts";
import { encodeKey } from "../../runtime/migrate/oldKey.ts";
import { openTransfer } from "../../runtime/migrate/openTransfer.ts";
import type { Parts } from "../../runtime/migrate/session.ts";
import { fakeIdMap } from "./fakeIdMap.ts";
import type { StoredBuckets } from "./storedBuckets.ts";

/** Metadata of every kind that a copy keeps. */
export const METADATA = {
	contentType: "text/plain; charset=utf-8",
	cacheControl: "no-store",
	contentDisposition: 'attachment; filename="ä.txt"',
	contentLanguage: "de",
	storageClass: "NEARLINE",
	customTime: "2020-01-01T00:00:00Z",
	metadata: { "a.b $c": "1", owner: "ä" },
};

const KINDS = ["Dataset", "Report"];
const keyOf = (kind: string, name: string) => encodeKey({ namespace: "", path: [{ kind, name }] });
/** Ids `d0` to `d99` of both kinds. */
export const map = fakeIdMap(
	KINDS.flatMap((kind) => Array.from({ length: 100 }, (_, index) => keyOf(kind, `d${index}`))),
);
export const newId = (kind: string, name: string): string => map.lookup(keyOf(kind, name)) as string;

/** A migration of objects from `from` below `v1/` to `into` below `v2/`, to the ledger that HOLDFAST_TEST_TARGET names. */
export function objectsDeclaration(endpoint: string, more: Partial<Record<keyof ObjectsMigration, unknown>> = {}) {
	const ids = [
		{ path: "$.dataset", kind: "Dataset" },
		{ path: "$.items[*].id", kind: "Report" },
	];
	return migrationSchema.parse({
		kind: "objects",
		name: "objects",
		idMap: { location: "/nowhere" },
		mongo: { uriVariable: "HOLDFAST_TEST_TARGET" },
		source: { bucket: "from", prefix: "v1/", endpoint },
		target: { bucket: "into", prefix: "v2/", endpoint },
		rules: [
			{ match: "tmp/**", skip: true },
			{ match: "reports/{Report}.json", to: "r/{Report}.json", content: { format: "json", ids } },
			{ match: "logs/{Dataset}/*", content: { format: "ndjson", ids } },
			{ match: "datasets/{Dataset}/**", to: "d/{Dataset}/files/**" },
		],
		...more,
	}) as ObjectsMigration;
}

export const objectParts: Parts = { openIdMap: async () => map, openTransfer };

export const report = (id: string) => `{ "dataset" : "${id}", "n": 1.50, "items": [{"id":"${id}"}, {"id":null}] }\n`;
export const log = (id: string) => `{"dataset":"${id}"}\n\n{"items":[]}\r\n{"other":"ä"}`;

/** Old and new names of what `fill` puts, and the contents that copies are to have. */
export interface Expected {
	name: string;
	to: string;
	contents: string;
}

/** `count` objects of each rule that copies. */
export function fill(buckets: StoredBuckets, count: number): Expected[] {
	const expected: Expected[] = [];
	const put = (name: string, to: string, before: string, contents = before, metadata: object = METADATA) => {
		buckets.put("from", name, "contentEncoding" in metadata ? gzipSync(before) : before, { ...metadata });
		expected.push({ name, to, contents });
	};
	for (let index = 0; index < count; index++) {
		const id = `d${index % 100}`;
		const [dataset, reportId] = [newId("Dataset", id), newId("Report", id)];
		const file = `${index} ä%2F💡/x.bin`;
		put(`v1/datasets/${id}/${file}`, `v2/d/${dataset}/files/${file}`, `bytes of ${index}`.repeat(20));
		const after = report("X").replace('"X"', `"${dataset}"`).replace('"X"', `"${reportId}"`);
		if (index < 100) put(`v1/reports/${id}.json`, `v2/r/${reportId}.json`, report(id), after);
		const packed = { ...METADATA, contentEncoding: "gzip" };
		put(`v1/logs/${id}/${index}`, `v2/logs/${dataset}/${index}`, log(id), log(dataset), packed);
	}
	buckets.put("from", "v1/tmp/x", "left out");
	buckets.put("from", "elsewhere", "not below the prefix");
	return expected;
}
