import type { Entity, Key } from "../datastore/entity.ts";
import { isComplete, keyOf } from "../datastore/key.ts";
import { type CanonicalWriter, Tag } from "./canonical.ts";
import type { IdMap } from "./idmap/idMap.ts";
import type { ResolvedRule } from "./kindRule.ts";
import { encodeKey } from "./oldKey.ts";
import { ProblemFound } from "./problem.ts";

/** Writes the canonical form of keys as the target has them. */
export class CanonicalKeys {
	/** Key of the entity at hand. */
	home: Entity["key"];
	readonly #writer: CanonicalWriter;
	readonly #rule: ResolvedRule;
	readonly #map: IdMap;

	constructor(writer: CanonicalWriter, rule: ResolvedRule, map: IdMap) {
		this.#writer = writer;
		this.#rule = rule;
		this.#map = map;
	}

	own(key: Buffer): void {
		const id = this.#map.lookup(key);
		if (id === undefined) {
			throw new ProblemFound({ code: "UNMAPPED_KEY", path: "_id", reason: "its key is not in the map" });
		}
		this.#id(id);
	}

	parent(parent: Buffer | undefined, own: Entity["key"]): void {
		if (parent === undefined) {
			this.#writer.tag(Tag.ABSENT);
			return;
		}
		const id = this.#map.lookup(parent);
		if (id !== undefined) this.#id(id);
		else if (!this.#unmapped({ ...own, path: own?.path?.slice(0, -1) ?? [] })) {
			throw new ProblemFound({ code: "UNMAPPED_KEY", path: "_parent", reason: "its parent's key is not in the map" });
		}
	}

	/** False where the rules put the entity aside. `typed` also for an embedded entity's own key. */
	reference(key: Key, typed = this.#rule.references === "typed"): boolean {
		if (!isComplete(key)) {
			this.#kept(key);
			return true;
		}
		const id = this.#foreign(key) ? undefined : this.#map.lookup(encodeKey(keyOf(key)));
		if (id === undefined) return this.#unmapped(key);
		if (typed) {
			this.#writer.tag(Tag.REFERENCE);
			this.#writer.text(key.path?.at(-1)?.kind ?? "");
		}
		this.#id(id);
		return true;
	}

	#unmapped(key: Key): boolean {
		if (this.#rule.unmapped === "deadLetter") return false;
		if (this.#rule.unmapped === "keep") this.#kept(key);
		else this.#writer.tag(Tag.NULL);
		return true;
	}

	#id(id: string): void {
		const { format } = this.#map;
		if (format === "objectId") {
			this.#writer.tag(Tag.OBJECT_ID);
			this.#writer.bytes(Buffer.from(id, "hex"), 0, 12);
		} else if (format === "integer") {
			this.#writer.tag(Tag.INTEGER);
			this.#writer.wholeBigInt(BigInt(id));
		} else {
			this.#text(id);
		}
	}

	#text(text: string): void {
		this.#writer.tag(Tag.TEXT);
		this.#writer.text(text);
	}

	#foreign({ partitionId }: Key): boolean {
		const { projectId, databaseId } = partitionId ?? {};
		if (!projectId) return false;
		const home = this.home?.partitionId;
		return `${projectId}/${databaseId ?? ""}` !== `${home?.projectId}/${home?.databaseId ?? ""}`;
	}

	#kept(key: Key): void {
		const writer = this.#writer;
		const foreign = this.#foreign(key);
		const { projectId, databaseId, namespaceId } = key.partitionId ?? {};
		writer.tag(Tag.KEPT);
		writer.tag(Tag.ENTITY);
		writer.tag(Tag.ABSENT);
		writer.count(1 + (foreign ? 2 : 0) + (namespaceId ? 1 : 0));
		if (foreign) this.#named("database", databaseId ?? "");
		if (namespaceId) this.#named("namespace", namespaceId);
		writer.text("path");
		this.#path(key.path ?? []);
		if (foreign) this.#named("project", projectId ?? "");
	}

	#named(name: string, text: string): void {
		this.#writer.text(name);
		this.#text(text);
	}

	#path(path: NonNullable<Key["path"]>): void {
		const last = path.at(-1);
		const complete = path.length === 0 || Boolean(last?.name) || Number(last?.id ?? 0) !== 0;
		this.#writer.tag(Tag.ARRAY);
		this.#writer.count(2 * path.length - (complete ? 0 : 1));
		for (const { kind, id, name } of path) {
			this.#text(kind ?? "");
			if (name) this.#text(name);
			else if (Number(id ?? 0) !== 0) {
				this.#writer.tag(Tag.INTEGER);
				this.#writer.wholeBigInt(BigInt(String(id)));
			}
		}
	}
}
