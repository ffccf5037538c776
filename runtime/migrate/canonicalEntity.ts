import type { Entity, Value } from "../datastore/entity.ts";
import { CanonicalWriter, Tag } from "./canonical.ts";
import { CanonicalKeys } from "./canonicalKeys.ts";
import { CanonicalValues, nameShapes } from "./canonicalValues.ts";
import type { IdMap } from "./idmap/idMap.ts";
import { ruleOf } from "./kindRule.ts";
import { decodeKey, keyText } from "./oldKey.ts";
import { parentKey } from "./parentKey.ts";
import { type Problem, problemOf } from "./problem.ts";
import type { Rules } from "./rules.ts";

export type CanonicalRead = { canonical: Buffer; problem?: undefined } | { problem: Problem; canonical?: undefined };

/**
 * The canonical form that entities of a kind have in the target, by `(entity, its encoded key)`. Made without anything
 * of what writes documents, so that a comparison finds what that does wrong.
 */
export function canonicalEntity(
	rules: Rules,
	kind: string,
	map: IdMap,
): (entity: Entity, key: Buffer) => CanonicalRead {
	const rule = ruleOf(rules, kind);
	const writer = new CanonicalWriter();
	const keys = new CanonicalKeys(writer, rule, map);
	const values = new CanonicalValues(writer, rule, keys);
	const shapes = nameShapes((name) => (rule.drops.has(name) ? undefined : (rule.renames.get(name) ?? name)));

	function write(entity: Entity, key: Buffer): void {
		writer.begin();
		keys.home = entity.key;
		values.place.begin();
		writer.tag(Tag.ROOT);
		keys.own(key);
		keys.parent(parentKey(key), entity.key);
		if (rule.keepOld) {
			writer.tag(Tag.TEXT);
			writer.text(keyText(decodeKey(key)));
		} else {
			writer.tag(Tag.ABSENT);
		}
		const properties = (entity.properties ?? {}) as Record<string, Value>;
		values.fields(shapes.of(properties), properties);
		writer.count(0);
	}

	return (entity, key) => {
		try {
			write(entity, key);
			return { canonical: writer.take() };
		} catch (error) {
			return { problem: problemOf(error, () => values.place.text()) };
		}
	};
}
