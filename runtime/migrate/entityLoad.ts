import { Binary, type MongoClient } from "mongodb";
import { rawBytes } from "../datastore/raw.ts";
import { canonicalDocument } from "./canonicalDocument.ts";
import { canonicalEntity } from "./canonicalEntity.ts";
import { differences } from "./differences.ts";
import type { EntityItem, EntityRange } from "./entityPages.ts";
import type { IdMap } from "./idmap/idMap.ts";
import { collectionOf } from "./kindRule.ts";
import type { Ledger } from "./ledger.ts";
import { type NewConflict, type NewDeadLetter, recordConflicts, recordLetters } from "./letters.ts";
import type { DatastoreMigration } from "./model.ts";
import { decodeKey, keyText } from "./oldKey.ts";
import { transformer } from "./transform.ts";
import type { Applied, Counts, LoadCount, Partition } from "./work.ts";
import { insertAll, type Outgoing, replaceAll, type Written } from "./writer.ts";

export interface EntityLoadEnds {
	declaration: DatastoreMigration;
	map: IdMap;
	client: MongoClient;
	ledger: Ledger;
	overwrite: boolean;
}

/** Writes pages of entities; one for a whole transfer: what it has worked out of a kind is used again. */
export class EntityLoad {
	readonly #ends: EntityLoadEnds;
	readonly #kinds = new Map<string, KindLoad>();

	constructor(ends: EntityLoadEnds) {
		this.#ends = ends;
	}

	apply({ index, range }: Partition<EntityRange>, items: readonly EntityItem[]): Promise<Applied<LoadCount>> {
		const kind = this.#kinds.get(range.kind) ?? new KindLoad(this.#ends, range.kind);
		this.#kinds.set(range.kind, kind);
		return kind.apply(index, items);
	}
}

class KindLoad {
	readonly #ends: EntityLoadEnds;
	readonly #collection: string;
	readonly #transform: ReturnType<typeof transformer>;
	readonly #readEntity: ReturnType<typeof canonicalEntity>;
	readonly #readDocument: ReturnType<typeof canonicalDocument>;

	constructor(ends: EntityLoadEnds, kind: string) {
		const { rules } = ends.declaration;
		this.#ends = ends;
		this.#collection = collectionOf(rules, kind);
		this.#transform = transformer(rules, kind, ends.map);
		this.#readEntity = canonicalEntity(rules, kind, ends.map);
		this.#readDocument = canonicalDocument(rules, kind, ends.map.format);
	}

	async apply(partition: number, items: readonly EntityItem[]): Promise<Applied<LoadCount>> {
		const letters: NewDeadLetter[] = [];
		const outgoing: Outgoing<EntityItem>[] = [];
		for (const item of items) {
			const { document, bytes, problem } = this.#transformed(item);
			if (document) outgoing.push({ document, bytes, item });
			else letters.push(letter(partition, item, "transform", problem.code, problem.reason));
		}
		const collection = this.#ends.client.db(this.#ends.declaration.database).collection(this.#collection);
		const written = await insertAll(collection, outgoing);
		for (const { outgoing: one, code } of written.refused)
			letters.push(letter(partition, one.item, "write", `MONGO_${code}`, `the target refused it with error ${code}`));
		const { equal, conflicts } = this.#compare(partition, written);
		const again = conflicts.map(({ outgoing: one }) => one);
		if (this.#ends.overwrite) await replaceAll(collection, again);
		const { ledger, declaration } = this.#ends;
		await recordLetters(ledger, declaration.name, letters);
		if (!this.#ends.overwrite)
			await recordConflicts(
				ledger,
				declaration.name,
				conflicts.map(({ conflict }) => conflict),
			);
		const counts: Counts<LoadCount> = { read: items.length, written: written.inserted };
		if (equal > 0) counts.equal = equal;
		if (conflicts.length > 0) counts[this.#ends.overwrite ? "overwritten" : "conflicts"] = conflicts.length;
		if (letters.length > 0) counts.dead = letters.length;
		return { counts };
	}

	#transformed(item: EntityItem) {
		const made = this.#transform(item.entity, item.key);
		return made.problem
			? { problem: { ...made.problem, reason: reasonOf(made.problem) } }
			: { document: made.document, bytes: made.bytes };
	}

	#compare(partition: number, { present }: Written<EntityItem>) {
		const conflicts: { outgoing: Outgoing<EntityItem>; conflict: NewConflict }[] = [];
		let equal = 0;
		for (const { outgoing, raw } of present) {
			const { key, entity } = outgoing.item;
			const wanted = this.#readEntity(entity, key);
			const there = this.#readDocument(raw);
			// What could be transformed can be read, too.
			const found = wanted.canonical ? differences(wanted.canonical, there) : [wanted.problem.reason];
			if (found.length === 0) equal += 1;
			else {
				const target = `${this.#collection}/${outgoing.document._id}`;
				const text = keyText(decodeKey(key));
				conflicts.push({
					outgoing,
					conflict: { key: key.toString("base64"), partition, text, target, paths: found },
				});
			}
		}
		return { equal, conflicts };
	}
}

const reasonOf = ({ path, reason }: { path: string; reason: string }): string =>
	path === "" ? reason : `${path}: ${reason}`;

const letter = (
	partition: number,
	{ key, entity }: EntityItem,
	stage: NewDeadLetter["stage"],
	code: string,
	reason: string,
): NewDeadLetter => ({
	key: key.toString("base64"),
	partition,
	text: keyText(decodeKey(key)),
	stage,
	code,
	reason,
	raw: new Binary(rawBytes(entity)),
});
