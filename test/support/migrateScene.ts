import type { Entity } from "../../runtime/datastore/entity.ts";
import { keyOf } from "../../runtime/datastore/key.ts";
import { splitKind } from "../../runtime/datastore/split.ts";
import { toRange } from "../../runtime/migrate/entityPages.ts";
import { entityTransfer } from "../../runtime/migrate/entityTransfer.ts";
import type { IdMap } from "../../runtime/migrate/idmap/idMap.ts";
import { type DatastoreMigration, migrationSchema } from "../../runtime/migrate/model.ts";
import { encodeKey } from "../../runtime/migrate/oldKey.ts";
import type { Parts } from "../../runtime/migrate/session.ts";
import { plainEntities, randomEntities } from "./datastoreFixtures.ts";
import { fakeIdMap } from "./fakeIdMap.ts";
import { FakeDatastore, type FakeSource } from "./fakeSource.ts";

/** What a migration in tests moves; plain JSON, so that a child process can make the same. */
export interface SceneOptions {
	/** Small entities of the kind `Plain`. */
	plain: number;
	/** Entities of the kind `Any` with values of every type. @default 0 */
	any?: number;
	/** Plain entities, the first ones, whose keys the map lacks. @default 0 */
	unmapped?: number;
	/** Partitions a kind. @default 3 */
	partitions?: number;
	/** Milliseconds a page of the source takes. @default 0 */
	delay?: number;
	/** Where the source is said to be, as an emulator. @default nowhere: the service */
	emulator?: string;
	/** Of the map, as another map would have it. */
	mapHash?: string;
	/** Changes to the declaration. */
	declare?: Partial<Record<keyof DatastoreMigration, unknown>>;
}

export interface Scene {
	declaration: DatastoreMigration;
	parts: Parts;
	entities: Entity[];
	map: IdMap;
	/** Opened so far, newest last. */
	sources: FakeSource[];
}

/** Park and Miller's generator: the same entities in every process. */
function generator(): () => number {
	let state = 20_261_121;
	return () => {
		state = (state * 48_271) % 2_147_483_647;
		return state / 2_147_483_647;
	};
}

/** Keys with those of all ancestors. */
function* withAncestors(entities: readonly Entity[]): Generator<Buffer> {
	for (const { key } of entities) {
		const { namespace, path } = keyOf(key!);
		for (let length = 1; length <= path.length; length++) yield encodeKey({ namespace, path: path.slice(0, length) });
	}
}

/** A migration from a source in memory to the replica set that HOLDFAST_TEST_TARGET names. */
export function scene(options: SceneOptions): Scene {
	const { plain, any = 0, unmapped = 0, partitions = 3, delay = 0, emulator } = options;
	const small = plainEntities("Plain", plain);
	const entities = [...small, ...randomEntities(generator(), "Any", any)];
	const datastore = new FakeDatastore(entities);
	const known = [...withAncestors(entities)].filter((key) => {
		const step = Buffer.from(key);
		return !small.slice(0, unmapped).some((entity) => encodeKey(keyOf(entity.key!)).equals(step));
	});
	const map = fakeIdMap(known, options.mapHash);
	const sources: FakeSource[] = [];
	const declaration = migrationSchema.parse({
		kind: "datastore",
		name: "test",
		idMap: { location: "/nowhere" },
		mongo: { uriVariable: "HOLDFAST_TEST_TARGET" },
		source: { project: "demo" },
		database: "moved",
		pageSize: 50,
		readTime: "2026-11-21T10:00:00Z",
		rules: { defaults: { unmapped: "keep" }, kinds: { Plain: { indexes: [{ keys: { size: 1 } }] } } },
		...options.declare,
	}) as DatastoreMigration;
	const parts: Parts = {
		openIdMap: async () => map,
		openTransfer: async (_, { readTime, ...ends }) => {
			const at = { ...(readTime !== undefined && { readTime }), ...(emulator !== undefined && { emulator }) };
			const source = datastore.open({ ...at, delay });
			sources.push(source);
			const transfer = entityTransfer(declaration, { ...ends, source });
			return { ...transfer, split: () => split(source, partitions) };
		},
	};
	return { declaration, parts, entities, map, sources };
}

/** As the product does, but into many partitions of few entities. */
async function split(source: FakeSource, partitions: number) {
	const kinds = await source.kinds("");
	const found = await Promise.all(kinds.map((kind) => splitKind(source, "", kind, { partitions })));
	return found
		.flatMap(({ ranges }) => ranges)
		.map((range, index) => ({ index, label: `${range.kind} ${index}`, range: toRange(range) }));
}
