import type { Entity, Key } from "../datastore/entity.ts";
import { isComplete, keyOf } from "../datastore/key.ts";
import { idWriter, longOf, type NewId } from "./bsonValues.ts";
import type { IdMap } from "./idmap/idMap.ts";
import type { ResolvedRule } from "./kindRule.ts";
import { encodeKey } from "./oldKey.ts";

/** Bytes of a new id or of a short reference around it. */
const ID_BYTES = 64;

/** Writes keys as what the target has for them. */
export class References {
	/** Upper bound of the BSON of what was written last, kinds at 3 bytes a letter. */
	bytes = 0;
	readonly newId: (id: string) => NewId;
	readonly #rule: ResolvedRule;
	readonly #map: IdMap;
	/** Key of the entity at hand: other keys are of its database or foreign. */
	#home: Entity["key"];

	constructor(rule: ResolvedRule, map: IdMap) {
		this.#rule = rule;
		this.#map = map;
		this.newId = idWriter[map.format];
	}

	begin(home: Entity["key"]): void {
		this.#home = home;
	}

	/**
	 * What stands for a key in a property, or for an embedded entity's own (`typed`); undefined where the rules put the
	 * entity aside. An incomplete key refers to nothing, and so is kept whatever the rules say.
	 */
	written(key: Key, typed = this.#rule.references === "typed"): unknown {
		const kind = key.path?.at(-1)?.kind ?? "";
		this.bytes = ID_BYTES + kind.length * 3;
		if (!isComplete(key)) return this.#kept(key);
		const id = this.#isForeign(key) ? undefined : this.#map.lookup(encodeKey(keyOf(key)));
		if (id === undefined) return this.unmapped(key);
		return typed ? { kind, id: this.newId(id) } : this.newId(id);
	}

	/** Of a key that has no new id. */
	unmapped(key: Key): unknown {
		if (this.#rule.unmapped === "keep") return this.#kept(key);
		return this.#rule.unmapped === "null" ? null : undefined;
	}

	#isForeign({ partitionId: its }: Key): boolean {
		const home = this.#home?.partitionId;
		return (
			Boolean(its?.projectId) &&
			(its?.projectId !== home?.projectId || (its?.databaseId ?? "") !== (home?.databaseId ?? ""))
		);
	}

	/**
	 * `path`: kinds and ids (64-bit integers) or names in turns; ends with a kind for an incomplete key. Project and
	 * database stand there only when they are not those of the entity, a namespace when it is not the default one.
	 */
	#kept(key: Key): unknown {
		const { projectId = "", databaseId = "", namespaceId = "" } = (key.partitionId ?? {}) as Record<string, string>;
		const path: unknown[] = [];
		for (const { kind, id, name } of key.path ?? []) {
			path.push(kind ?? "");
			if (id && String(id) !== "0") path.push(longOf(String(id)));
			else if (name) path.push(name);
			this.bytes += 32 + ((kind?.length ?? 0) + (name?.length ?? 0)) * 3;
		}
		const foreign = this.#isForeign(key);
		this.bytes += 3 * (projectId.length + databaseId.length + namespaceId.length);
		return {
			_missing: {
				...(foreign && { database: databaseId }),
				...(namespaceId && { namespace: namespaceId }),
				path,
				...(foreign && { project: projectId }),
			},
		};
	}
}
