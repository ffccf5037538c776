import { BSON } from "mongodb";
import type { Entity, Value } from "../../runtime/datastore/entity.ts";
import { keyOf } from "../../runtime/datastore/key.ts";
import { digestOf } from "../../runtime/migrate/canonical.ts";
import { canonicalDocument } from "../../runtime/migrate/canonicalDocument.ts";
import { canonicalEntity } from "../../runtime/migrate/canonicalEntity.ts";
import type { IdMap } from "../../runtime/migrate/idmap/idMap.ts";
import { encodeKey } from "../../runtime/migrate/oldKey.ts";
import { rulesSchema } from "../../runtime/migrate/rules.ts";
import { transformer } from "../../runtime/migrate/transform.ts";
import {
	array,
	bool,
	double,
	embedded,
	entity,
	int,
	key,
	nul,
	type Properties,
	ref,
	text,
	time,
} from "../support/datastoreValues.ts";
import { fakeMap } from "../support/fakeMap.ts";
import { median } from "./stats.ts";

const COUNT = Number(process.env.HOLDFAST_BENCH_ENTITIES ?? 20_000);
const ROUNDS = 7;

/** Ten properties of the usual types; every time has microseconds, as those that Python wrote have. */
const usual = (at: number): Properties => ({
	...{ name: text(`name ${at}`), email: text(`user${at}@example.org`), size: int(at * 1000), count: int(at) },
	...{ ratio: double(at / 7), made: time(1_763_000_000 + at, at % 1_000_000), done: bool(at % 2 === 0), note: nul() },
	...{ owner: ref(key("Thing", (at % 1000) + 1)), tags: array(text("a"), text(`t${at % 100}`)) },
});
const nested = (depth: number, at: number): Value =>
	depth === 0 ? int(at) : embedded({ in: nested(depth - 1, at), n: int(at) });
const many = (properties: number, at: number): Properties =>
	Object.fromEntries(Array.from({ length: properties }, (_, index) => [`p${index}`, text(`value ${at + index}`)]));

const shapes: Record<string, (at: number) => Properties> = {
	"10 properties": usual,
	"3 properties": (at) => many(3, at),
	"20 properties": (at) => many(20, at),
	"100 properties": (at) => many(100, at),
	"10 properties, and an embedded entity 10 deep": (at) => ({ ...usual(at), deep: nested(10, at) }),
	"10 properties, and a list of 100 integers": (at) => ({
		...usual(at),
		list: array(...Array.from({ length: 100 }, (_, n) => int(n))),
	}),
	"10 properties, and 100 KiB of text": (at) => ({ ...usual(at), body: text("x".repeat(100 * 1024)) }),
};

/** A map that costs as little as one can: what is measured is not the look-up. */
function memoryMap(keys: readonly Buffer[]): IdMap {
	const map = fakeMap();
	const ids = new Map(keys.map((key) => [key.toString("latin1"), map.lookup(key) as string]));
	return { ...map, lookup: (key) => ids.get((key as Buffer).toString("latin1")) };
}

/** Microseconds of processor time for an entity, the garbage collector's too: the median of some rounds over all. */
function cost(count: number, work: (at: number) => unknown): number {
	const figures: number[] = [];
	for (let round = 0; round <= ROUNDS; round++) {
		const began = process.cpuUsage();
		for (let at = 0; at < count; at++) work(at);
		const { user, system } = process.cpuUsage(began);
		if (round > 0) figures.push((user + system) / count);
	}
	return median(figures);
}

function measured(properties: (at: number) => Properties, count: number) {
	const entities: Entity[] = Array.from({ length: count }, (_, at) => entity(key("Thing", at + 1), properties(at)));
	const keys = entities.map((one) => encodeKey(keyOf(one.key ?? {})));
	const all = [...keys, ...Array.from({ length: 1000 }, (_, at) => encodeKey(keyOf(key("Thing", at + 1))))];
	const map = memoryMap(all);
	const rules = rulesSchema.parse({});
	const transform = transformer(rules, "Thing", map);
	const ofEntity = canonicalEntity(rules, "Thing", map);
	const ofDocument = canonicalDocument(rules, "Thing", map.format);
	const written = (at: number) => {
		const { document } = transform(entities[at] as Entity, keys[at] as Buffer);
		if (!document) throw new Error("an entity of the benchmark is a problem");
		return document;
	};
	const source = (at: number) => ofEntity(entities[at] as Entity, keys[at] as Buffer).canonical as Buffer;
	const documents = entities.map((_, at) => written(at));
	const raw = documents.map((document) => Buffer.from(BSON.serialize(document)));
	return {
		bytes: median(raw.map(({ length }) => length)),
		ready: cost(count, (at) => BSON.serialize(documents[at] as object)),
		transform: cost(count, written),
		both: cost(count, (at) => BSON.serialize(written(at))),
		verify: cost(count, (at) => digestOf(source(at)).equals(digestOf(ofDocument(raw[at] as Buffer)))),
	};
}

/** What an entity costs one core, beside the driver's own work on a document that is ready. */
export async function transformBench(): Promise<void> {
	console.log("\n## Microseconds of processor time for an entity (medians)\n");
	console.log(
		"| entity | BSON bytes | serialize a ready document | transform | transform and serialize | a second | canonical forms of both sides, digests, comparison |",
	);
	console.log("| --- | --- | --- | --- | --- | --- | --- |");
	for (const [name, properties] of Object.entries(shapes)) {
		const count = name.includes("KiB") ? Math.ceil(COUNT / 50) : name.includes("100") ? Math.ceil(COUNT / 10) : COUNT;
		const { bytes, ready, transform, both, verify } = measured(properties, count);
		const figures = [ready, transform, both].map((figure) => figure.toFixed(1)).join(" | ");
		console.log(`| ${name} | ${bytes} | ${figures} | ${Math.round(1e6 / both)} | ${verify.toFixed(1)} |`);
	}
}
