import { collectionName } from "./names.ts";
import type { KindRule, Rules } from "./rules.ts";

/** What holds for one kind, with nothing left open. */
export interface ResolvedRule {
	collection: string;
	/** Property -> field, of the entity itself; those inside embedded entities keep their names. */
	renames: ReadonlyMap<string, string>;
	drops: ReadonlySet<string>;
	timestamps: "date" | "micros";
	references: "id" | "typed";
	unmapped: "deadLetter" | "null" | "keep";
	keepOld: boolean;
	skip: boolean;
	indexes: KindRule["indexes"];
}

export function ruleOf({ defaults, kinds }: Rules, kind: string): ResolvedRule {
	const own = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
	return {
		collection: own?.collection ?? collectionName(kind),
		renames: new Map(Object.entries(own?.rename ?? {})),
		drops: new Set(own?.drop),
		timestamps: own?.timestamps ?? defaults.timestamps ?? "date",
		references: own?.references ?? defaults.references ?? "id",
		unmapped: own?.unmapped ?? defaults.unmapped ?? "deadLetter",
		keepOld: own?.keepOld ?? defaults.keepOld ?? false,
		skip: own?.skip ?? false,
		indexes: own?.indexes ?? [],
	};
}

/** Collection that the entities of a kind go to. */
export const collectionOf = (rules: Rules, kind: string): string => ruleOf(rules, kind).collection;
