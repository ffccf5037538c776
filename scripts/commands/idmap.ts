import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { HoldfastError } from "../../runtime/errors.ts";
import { buildIdMap } from "../../runtime/migrate/idmap/build.ts";
import { describeIdMap, type IdMapDescription } from "../../runtime/migrate/idmap/describe.ts";
import { exportMap } from "../../runtime/migrate/idmap/exportMap.ts";
import { openIdMap } from "../../runtime/migrate/idmap/open.ts";
import { verifyIdMap } from "../../runtime/migrate/idmap/verify.ts";
import { type IdMapOptions, readIdMap, readMapFile } from "../idmap/declaration.ts";
import { watched } from "../idmap/watch.ts";
import { count } from "../progressBar.ts";
import { stoppable } from "../stopSignal.ts";
import { table } from "../table.ts";

const verbs: Record<string, (file: string, options: IdMapOptions) => Promise<void>> = {
	build,
	show,
	verify,
	export: exported,
};

export async function run({
	args: [verb, file],
	...options
}: IdMapOptions & { args: [string, string] }): Promise<void> {
	const found = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
	if (!found) throw new HoldfastError("HF_USAGE", `there is no idmap ${verb}: ${Object.keys(verbs).join(", ")}`);
	await found(file, options);
}

async function build(file: string, options: IdMapOptions): Promise<void> {
	const inputs = await readIdMap(file, options);
	const built = await stoppable((signal) =>
		watched(options.json, (onProgress) => buildIdMap(inputs, { onProgress, signal })),
	);
	if (options.json) return print(built);
	console.log(`id map ${inputs.name}: ${built.changed ? "built" : "unchanged"}, ${sizeOf(built)}\nhash ${built.hash}`);
}

async function verify(file: string, { json, sources }: IdMapOptions): Promise<void> {
	const { location, ...map } = await readMapFile(file);
	const options = { ...map, sources: sources ? map.sources : undefined };
	const found = await stoppable((signal) =>
		watched(json, (onProgress) => verifyIdMap(location, { ...options, onProgress, signal })),
	);
	if (json) return print(found);
	const had = found.sourceKeys === undefined ? "" : `; it has all ${count(found.sourceKeys)} ids of the sources`;
	console.log(`whole: ${sizeOf(found)}${had}\nhash ${found.hash}`);
}

async function show(file: string, options: IdMapOptions): Promise<void> {
	if (options.format !== undefined && options.format !== "text") return exported(file, options);
	const { location, endpoint } = await readMapFile(file);
	const found = await stoppable((signal) =>
		watched(options.json, (onProgress) =>
			describeIdMap(location, { ...(endpoint && { endpoint }), onProgress, signal }),
		),
	);
	if (options.json) print(found);
	else console.log(textOf(found));
}

async function exported(file: string, { format = "ndjson" }: IdMapOptions): Promise<void> {
	if (format !== "ndjson" && format !== "csv")
		throw new HoldfastError("HF_USAGE", `there is no format ${format}: ndjson, csv`);
	const { location, endpoint } = await readMapFile(file);
	const map = await openIdMap(location, { ...(endpoint && { endpoint }) });
	try {
		await pipeline(Readable.from(exportMap(map, format)), process.stdout, { end: false });
	} finally {
		await map.close();
	}
}

const print = (value: object) => console.log(JSON.stringify(value, null, 2));

const sizeOf = ({ count: pairs, segments }: { count: number; segments: number }) =>
	`${count(pairs)} ids in ${segments} ${segments === 1 ? "segment" : "segments"}`;

function textOf({ hash, count: pairs, name, strategy, format, kinds, segments }: IdMapDescription): string {
	const byKind = Object.entries(kinds).map(([kind, number]) => [kind, count(number)]);
	const bySegment = segments.map((one) => [
		String(one.segment),
		count(one.count),
		count(one.bytes),
		one.tool,
		one.sources.map(({ name: source, readTime }) => `${source}${readTime ? ` at ${readTime}` : ""}`).join(", "),
	]);
	return [
		`id map ${name}: ${sizeOf({ count: pairs, segments: segments.length })}, ${strategy}, ${format}\nhash ${hash}\n`,
		table([["kind", "ids"], ...byKind]),
		"",
		table([["segment", "ids", "bytes", "built by", "from"], ...bySegment]),
	].join("\n");
}
