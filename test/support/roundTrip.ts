import { BSON } from "mongodb";
import type { z } from "zod";
import type { Entity } from "../../runtime/datastore/entity.ts";
import { keyOf } from "../../runtime/datastore/key.ts";
import { canonicalDocument } from "../../runtime/migrate/canonicalDocument.ts";
import { canonicalEntity } from "../../runtime/migrate/canonicalEntity.ts";
import { differences } from "../../runtime/migrate/differences.ts";
import type { IdMap } from "../../runtime/migrate/idmap/idMap.ts";
import { encodeKey } from "../../runtime/migrate/oldKey.ts";
import { rulesSchema } from "../../runtime/migrate/rules.ts";
import { type TargetDocument, transformer } from "../../runtime/migrate/transform.ts";
import { fakeMap } from "./fakeMap.ts";

type Kind = NonNullable<z.input<typeof rulesSchema>["kinds"]>[string];

/** What transforms and reads the kind `Thing` by one rule. */
export function thing(rule: Kind = {}, map: IdMap = fakeMap()) {
	const rules = rulesSchema.parse({ kinds: { Thing: rule } });
	const transform = transformer(rules, "Thing", map);
	const ofEntity = canonicalEntity(rules, "Thing", map);
	const ofDocument = canonicalDocument(rules, "Thing", map.format);
	const keyed = (entity: Entity) => encodeKey(keyOf(entity.key!));
	const self = {
		transform: (entity: Entity) => transform(entity, keyed(entity)),
		document(entity: Entity): TargetDocument {
			const { document, problem } = self.transform(entity);
			if (problem) throw new Error(`${problem.code} ${problem.path}: ${problem.reason}`);
			return document;
		},
		bson: (entity: Entity): Uint8Array => BSON.serialize(self.document(entity)),
		source(entity: Entity): Buffer {
			const { canonical, problem } = ofEntity(entity, keyed(entity));
			if (problem) throw new Error(`${problem.code} ${problem.path}: ${problem.reason}`);
			return canonical;
		},
		sourceProblem: (entity: Entity) => ofEntity(entity, keyed(entity)).problem,
		target: (raw: Uint8Array): Buffer => ofDocument(raw),
		/** What a verification would say about a document. */
		verify: (entity: Entity, raw: Uint8Array): string[] => differences(self.source(entity), self.target(raw)),
	};
	return self;
}
