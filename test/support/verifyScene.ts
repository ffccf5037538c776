import type { Entity } from "../../runtime/datastore/entity.ts";
import { keyOf } from "../../runtime/datastore/key.ts";
import { splitKind } from "../../runtime/datastore/split.ts";
import { toRange } from "../../runtime/migrate/entityPages.ts";
import { kindsOf } from "../../runtime/migrate/entitySplit.ts";
import { entityTransfer } from "../../runtime/migrate/entityTransfer.ts";
import { type DatastoreMigration, migrationSchema } from "../../runtime/migrate/model.ts";
import { encodeKey } from "../../runtime/migrate/oldKey.ts";
import type { Parts } from "../../runtime/migrate/session.ts";
import { array, embedded, entity, geo, int, key, keyIn, ref, text, time } from "./datastoreValues.ts";
import { fakeIdMap } from "./fakeIdMap.ts";
import { FakeDatastore, type FakeSourceOptions } from "./fakeSource.ts";

/** What everything is loaded at. */
export const LOADED_AT = "2026-11-21T10:00:00Z";

/** An item with one of each value that a careless copy loses. */
export const item = (id: number, label = `item ${id}`): Entity =>
	entity(key("Item", id), {
		count: int(3),
		place: geo(52.5, 13.4),
		seen: time(1_763_000_000, 123_456),
		owner: ref(key("Owner", `o${id % 5}`)),
		parts: array(embedded({ label: text(label), sizes: array(int(1), int(2)) }), embedded({ label: text("second") })),
	});
export const owner = (name: string): Entity => entity(key("Owner", name), { name: text(name) });
/** The same kind in another namespace goes to the same collection. */
export const tenant = (id: number): Entity => entity(keyIn("tenant", "Item", id), { count: int(id) });

export interface VerifySceneOptions {
	/** @default 200 */
	items?: number;
	/** Names of owners that the map lacks, as their own keys. @default none */
	unmapped?: string[];
	/** Milliseconds that each call of the source takes. @default 0 */
	delay?: number;
	declare?: Partial<Record<keyof DatastoreMigration, unknown>>;
	/** @default 3 */
	partitions?: number;
	mapHash?: string;
	pinned?: boolean;
	expiresAt?: string;
	fault?: FakeSourceOptions["fault"];
}

/** A migration from a source in memory, with a past and a future, to the replica set that HOLDFAST_TEST_TARGET names. */
export function verifyScene({ items = 200, unmapped = [], partitions = 3, ...options }: VerifySceneOptions = {}) {
	const entities = [
		...Array.from({ length: items }, (_, id) => item(id + 1)),
		...Array.from({ length: 5 }, (_, at) => owner(`o${at}`)),
		...Array.from({ length: 7 }, (_, id) => tenant(id + 1)),
	];
	const datastore = new FakeDatastore(entities);
	// The map knows what comes later, too: whoever builds it after the freeze has all of it.
	const later = [...Array.from({ length: 50 }, (_, id) => item(items + id + 1)), entity(key("Late", 1), {})];
	const keys = [...entities, ...later].map((one) => keyOf(one.key!));
	const known = keys.filter(({ path: [step] }) => !("name" in step! && unmapped.includes(step.name)));
	const map = fakeIdMap(known.map(encodeKey), options.mapHash);
	const declaration = migrationSchema.parse({
		kind: "datastore",
		name: "test",
		idMap: { location: "/nowhere" },
		mongo: { uriVariable: "HOLDFAST_TEST_TARGET" },
		source: { project: "demo" },
		database: "moved",
		pageSize: 20,
		readTime: LOADED_AT,
		rules: { kinds: { Item: { unmapped: "keep" } } },
		...options.declare,
	}) as DatastoreMigration;
	const parts: Parts = {
		openIdMap: async () => map,
		openTransfer: async (_, { readTime, ...ends }) => {
			const { pinned, expiresAt, delay, fault } = options;
			const source = datastore.open({
				...(readTime !== undefined && { readTime }),
				...(pinned !== undefined && { pinned }),
				...(fault !== undefined && { fault }),
				...(delay !== undefined && { delay }),
				...(expiresAt !== undefined && { expiresAt }),
			});
			const transfer = entityTransfer(declaration, { ...ends, source });
			const split = async () => {
				const found = await Promise.all(
					(await kindsOf(declaration, source)).map(({ namespace, kind }) =>
						splitKind(source, namespace, kind, { partitions: kind === "Item" && namespace === "" ? partitions : 1 }),
					),
				);
				const ranges = found.flatMap((one) => one.ranges);
				return ranges.map((range, index) => ({ index, label: `${range.kind} ${index}`, range: toRange(range) }));
			};
			return { ...transfer, split };
		},
	};
	return {
		declaration,
		parts,
		datastore,
		entities,
		map,
		newId: (of: Entity) => map.lookup(encodeKey(keyOf(of.key!)))!,
	};
}
