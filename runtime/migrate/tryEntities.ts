import type { MongoClient } from "mongodb";
import type { EntityPage, KeyRange } from "../datastore/source.ts";
import { isRefused } from "../mongo/connect.ts";
import type { EntityItem } from "./entityPages.ts";
import { kindsOf } from "./entitySplit.ts";
import { decodeKey, keyText } from "./oldKey.ts";
import { indexPlan, type Statistics, statistics } from "./statistics.ts";
import type { Trial } from "./transfer.ts";
import { collectionOf, transformer } from "./transform.ts";
import type { EntityEnds } from "./verifyEnds.ts";

/** Places of a kind that are looked at, a page at each. */
const PLACES = 4;

/** Reads a few pages of each kind and transforms them, until the time is up; writes nothing. */
export async function tryEntities(ends: EntityEnds, budgetMs: number): Promise<Trial> {
	const trial = new EntityTrial(ends);
	const end = performance.now() + budgetMs;
	const kinds = await kindsOf(ends.declaration, ends.source);
	let skipped = 0;
	for (const group of kinds) {
		if (performance.now() < end) await trial.look(group, end);
		else skipped += 1;
	}
	const notes =
		skipped > 0 ? [`the time for samples was up before ${skipped} of ${kinds.length} kinds were looked at`] : [];
	notes.push(...(await brakeNotes(ends.client)));
	return {
		...trial.result(),
		present: await presentIn(
			ends,
			kinds.map(({ kind }) => kind),
		),
		notes,
	};
}

class EntityTrial {
	readonly #ends: EntityEnds;
	readonly #statistics: Statistics = statistics();
	readonly #problems = new Map<string, Trial["problems"][number]>();
	readonly #sampled = { entities: 0, readSeconds: 0, transformSeconds: 0 };

	constructor(ends: EntityEnds) {
		this.#ends = ends;
	}

	async look({ namespace, kind }: { namespace: string; kind: string }, end: number): Promise<void> {
		const { source, declaration, map } = this.#ends;
		const group = namespace === "" ? kind : `${namespace}!${kind}`;
		const transform = transformer(declaration.rules, kind, map);
		const seen = new Set<string>();
		for (const from of [undefined, ...someOf(await source.scatter(namespace, kind, 64), PLACES - 1)]) {
			const range = { namespace, kind, ...(from && { from }) };
			// A source may give less than it was asked for: pages grow with what it is found to bear.
			for (let left = declaration.pageSize, after: Buffer | undefined; left > 0; ) {
				if (performance.now() >= end) return;
				const { keys, entities, done } = await this.#page(range, after, left);
				const items = keys.map((key, at) => ({ key, entity: entities[at]! })).filter(({ key }) => isNew(seen, key));
				this.#transform(group, items, transform);
				for (const { entity } of items) this.#statistics.add(kind, entity);
				if (done && from === undefined) return;
				if (done) break;
				left -= keys.length;
				after = keys.at(-1);
			}
		}
	}

	async #page(range: KeyRange, after: Buffer | undefined, limit: number): Promise<EntityPage> {
		const began = performance.now();
		const page = await this.#ends.source.page(range, after, limit);
		this.#sampled.readSeconds += (performance.now() - began) / 1000;
		return page;
	}

	#transform(group: string, items: readonly EntityItem[], transform: ReturnType<typeof transformer>): void {
		const began = performance.now();
		for (const { entity, key } of items) {
			const { problem } = transform(entity, key);
			if (problem) this.#count(group, problem.code, key);
		}
		this.#sampled.transformSeconds += (performance.now() - began) / 1000;
		this.#sampled.entities += items.length;
	}

	#count(group: string, code: string, key: Buffer): void {
		const name = JSON.stringify([group, code]);
		const known = this.#problems.get(name) ?? { group, code, items: 0, example: keyText(decodeKey(key)) };
		this.#problems.set(name, { ...known, items: known.items + 1 });
	}

	result() {
		const indexes = indexPlan(this.#statistics.result(), this.#ends.declaration.rules);
		return { sampled: this.#sampled, problems: [...this.#problems.values()], indexes };
	}
}

/** Places may overlap: each entity counts once. */
function isNew(seen: Set<string>, key: Buffer): boolean {
	const text = key.toString("latin1");
	if (seen.has(text)) return false;
	seen.add(text);
	return true;
}

/** Some, at random places. */
function someOf<T>(items: readonly T[], number: number): T[] {
	const left = [...items];
	return Array.from({ length: Math.min(number, left.length) }, () => {
		const at = Math.floor(Math.random() * left.length);
		return left.splice(at, 1)[0]!;
	});
}

async function presentIn({ client, declaration }: EntityEnds, kinds: string[]): Promise<Trial["present"]> {
	const db = client.db(declaration.database);
	const names = [...new Set(kinds.map((kind) => collectionOf(declaration.rules, kind)))];
	return Object.fromEntries(
		await Promise.all(names.map(async (name) => [name, await db.collection(name).estimatedDocumentCount()] as const)),
	);
}

/** Whether the target's user may see how its members follow. */
async function brakeNotes(client: MongoClient): Promise<string[]> {
	try {
		await client.db("admin").command({ replSetGetStatus: 1 });
		await client
			.db("local")
			.collection("oplog.rs")
			.findOne({}, { projection: { _id: 1 } });
		return [];
	} catch (error) {
		if (!isRefused(error)) throw error;
		return ["the load could not wait for members that cannot follow: the user lacks the role clusterMonitor"];
	}
}
