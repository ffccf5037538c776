import type { Collection } from "mongodb";
import { idWriter } from "./bsonValues.ts";
import { digestOf } from "./canonical.ts";
import { canonicalDocument } from "./canonicalDocument.ts";
import { type CanonicalRead, canonicalEntity } from "./canonicalEntity.ts";
import { differences } from "./differences.ts";
import { rawNewId } from "./documentId.ts";
import type { EntityItem } from "./entityPages.ts";
import { collectionOf } from "./kindRule.ts";
import { decodeKey, keyText } from "./oldKey.ts";
import type { Difference } from "./transfer.ts";
import { type EntityEnds, targetCollection } from "./verifyEnds.ts";
import type { Applied, Counts, VerifyCount } from "./work.ts";

/** What a page of a comparison comes to, and what differs in it. */
export type ComparedPage = Applied<VerifyCount> & { found: Difference[] };

/** Digests of 32 bytes that roll over the items of a partition in key order; the same data gives the same, whoever runs. */
interface Rolling {
	source: Buffer;
	target: Buffer;
}

const BEGINNING = Buffer.alloc(32);
const chained = (rolling: Buffer, digest: Buffer): Buffer => digestOf(Buffer.concat([rolling, digest]));

const fromCarry = (carry = ""): Rolling => {
	const [source, target] = carry.split(":");
	return {
		source: source ? Buffer.from(source, "hex") : BEGINNING,
		target: target ? Buffer.from(target, "hex") : BEGINNING,
	};
};

/** `source:target`, both as hex. */
export const toCarry = ({ source, target }: Rolling): string => `${source.toString("hex")}:${target.toString("hex")}`;

/** What a kind's entities are compared by. */
interface Kind {
	collection: Collection;
	name: string;
	ofEntity: ReturnType<typeof canonicalEntity>;
	ofDocument: ReturnType<typeof canonicalDocument>;
}

/** One item, on both sides. */
interface Pair {
	item: EntityItem;
	newId: string | undefined;
	source: CanonicalRead;
	/** Canonical form of the document; absent where there is none. */
	target?: Buffer;
}

/** Compares entities with the documents they should be: what a page comes to, and the differences. */
export function comparison(ends: EntityEnds) {
	const kinds = new Map<string, Kind>();
	const kindOf = (kind: string): Kind => {
		const known = kinds.get(kind) ?? openKind(ends, kind);
		kinds.set(kind, known);
		return known;
	};
	return async (kind: string, items: EntityItem[], carry?: string): Promise<ComparedPage> => {
		const at = kindOf(kind);
		const pairs = await pair(ends, at, items);
		return { ...(await judge(ends, at.name, pairs)), carry: toCarry(pairs.reduce(roll, fromCarry(carry))) };
	};
}

function openKind(ends: EntityEnds, kind: string): Kind {
	const { rules } = ends.declaration;
	const name = collectionOf(rules, kind);
	return {
		collection: targetCollection(ends, name),
		name,
		ofEntity: canonicalEntity(rules, kind, ends.map),
		ofDocument: canonicalDocument(rules, kind, ends.map.format),
	};
}

/** Finds the documents of a page. The server looks for them while this side reads the entities. */
async function pair({ map }: EntityEnds, kind: Kind, items: EntityItem[]): Promise<Pair[]> {
	const newIds = items.map(({ key }) => map.lookup(key));
	const ids = newIds.filter((id) => id !== undefined).map((id) => idWriter[map.format](id));
	const documents = kind.collection.find({ _id: { $in: ids as never[] } }, { raw: true, batchSize: ids.length + 1 });
	const answer = ids.length === 0 ? Promise.resolve([]) : documents.toArray();
	// A failure meanwhile is thrown below, where it is waited for.
	answer.catch(() => {});
	const sources = items.map(({ entity, key }) => kind.ofEntity(entity, key));
	const targets = new Map<string | undefined, Buffer>();
	for (const raw of (await answer) as unknown as Uint8Array[]) targets.set(rawNewId(raw), kind.ofDocument(raw));
	return items.map((item, at) => {
		const target = newIds[at] === undefined ? undefined : targets.get(newIds[at]);
		return { item, newId: newIds[at], source: sources[at]!, ...(target && { target }) };
	});
}

function roll(rolling: Rolling, { source, target }: Pair): Rolling {
	const digest = source.canonical ? digestOf(source.canonical) : BEGINNING;
	const next = chained(rolling.source, digest);
	if (!target) return { source: next, target: rolling.target };
	const same = source.canonical?.equals(target) && rolling.source.equals(rolling.target);
	return { source: next, target: same ? next : chained(rolling.target, digestOf(target)) };
}

async function judge(ends: EntityEnds, collection: string, pairs: Pair[]): Promise<Omit<ComparedPage, "carry">> {
	const absent = pairs.filter(({ target }) => !target);
	const letters = await deadLetters(ends, absent);
	const counts = { read: pairs.length, equal: 0, different: 0, missing: 0, excused: 0 } satisfies Counts<VerifyCount>;
	const found: Difference[] = [];
	for (const one of pairs) {
		const verdict = verdictOf(one, letters);
		counts[verdict] += 1;
		if (verdict !== "missing" && verdict !== "different") continue;
		const paths = pathsOf(one);
		const target = `${collection}/${one.newId ?? "?"}`;
		const source = keyText(decodeKey(one.item.key));
		found.push({ source, target, kind: verdict, ...(paths.length > 0 && { paths }) });
	}
	return { counts, found };
}

function verdictOf({ item, source, target }: Pair, letters: ReadonlySet<string>) {
	if (!target) return letters.has(item.key.toString("base64")) ? "excused" : "missing";
	return source.canonical?.equals(target) ? "equal" : "different";
}

function pathsOf({ newId, source, target }: Pair): string[] {
	if (newId === undefined) return ["its key is not in the id map"];
	if (source.problem) return [`${source.problem.path}: ${source.problem.reason}`];
	return target ? differences(source.canonical, target) : [];
}

/** Keys (base64) among these that the load put aside and that are still waiting. */
async function deadLetters({ ledger, declaration }: EntityEnds, pairs: Pair[]): Promise<ReadonlySet<string>> {
	if (pairs.length === 0) return new Set();
	const ids = pairs.map(({ item }) => ({ migration: declaration.name, key: item.key.toString("base64") }));
	const found = await ledger.deadLetters.find({ _id: { $in: ids } }, { projection: { _id: 1 } }).toArray();
	return new Set(found.map(({ _id }) => _id.key));
}
