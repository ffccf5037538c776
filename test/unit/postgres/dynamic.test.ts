import fc from "fast-check";
import { patroniArgumentsSchema } from "../../../runtime/postgres/arguments.ts";
import { dynamicConfig, type Json, type JsonObject, planDynamic } from "../../../runtime/postgres/dynamic.ts";
import { patroniSettings } from "../../../runtime/postgres/settings.ts";

const seed = Number(process.env.HOLDFAST_SEED) || Date.now() % 2 ** 31;
const config = (declared: object = {}) => dynamicConfig(patroniSettings(patroniArgumentsSchema.parse(declared)));
const parameters = (found: JsonObject) => (found.postgresql as JsonObject).parameters as JsonObject;

test("everything Patroni is told for the whole cluster", () => {
	expect(config({ profile: "fast", durability: "strict" })).toMatchObject({
		...{ ttl: 20, loop_wait: 5, retry_timeout: 6, maximum_lag_on_failover: 1_048_576 },
		...{ synchronous_mode: "quorum", synchronous_mode_strict: true, synchronous_node_count: 1 },
		...{ failsafe_mode: true, check_timeline: true, primary_start_timeout: 60, primary_stop_timeout: 30 },
		postgresql: { use_pg_rewind: true, use_slots: true },
	});
	expect(parameters(config())).toMatchObject({
		...{ wal_level: "replica", hot_standby: "on", wal_log_hints: "on", archive_mode: "on", archive_command: "true" },
		...{ max_connections: 100, shared_buffers: "128MB", max_slot_wal_keep_size: "1024MB" },
		...{ password_encryption: "scram-sha-256", log_statement: "none" },
	});
});

test("parameters of the program come last; scaling changes none of them", () => {
	expect(parameters(config({ parameters: { work_mem: "9MB", wal_level: "logical" } }))).toMatchObject({
		...{ work_mem: "9MB", wal_level: "logical" },
	});
	expect(parameters(config({ members: 3 }))).toEqual(parameters(config({ members: 10 })));
});

describe("planDynamic", () => {
	test("nothing to do for what is there already, as Patroni compares", () => {
		expect(planDynamic(config(), config())).toBeUndefined();
		expect(planDynamic({ a: 1, b: "on", c: [1, { d: 2 }] }, { a: "1", b: "on", c: [1, { d: 2 }] })).toBeUndefined();
	});

	test("changes only what differs, and leaves what others set", () => {
		const found = { ttl: 30, pause: true, postgresql: { parameters: { jit: "on", work_mem: "4MB" }, use_slots: true } };
		const desired = { ttl: 20, postgresql: { parameters: { work_mem: "8MB" }, use_slots: true } };
		expect(planDynamic(found, desired)).toEqual({ ttl: 20, postgresql: { parameters: { work_mem: "8MB" } } });
	});

	test("deletes what we set formerly and no longer do, and only that", () => {
		const former = { a: 1, postgresql: { parameters: { jit: "on", work_mem: "4MB" } }, gone: 1 };
		const found = { a: 1, postgresql: { parameters: { jit: "on", work_mem: "4MB", theirs: "1" } } };
		expect(planDynamic(found, { postgresql: { parameters: { work_mem: "4MB" } } }, former)).toEqual({
			a: null,
			postgresql: { parameters: { jit: null } },
		});
		expect(planDynamic(found, {}, { postgresql: { parameters: { jit: "on" } } })).toEqual({
			postgresql: { parameters: { jit: null } },
		});
	});

	test("true and the text true are different, and a value may turn into an object", () => {
		expect(planDynamic({ a: "true" }, { a: true })).toEqual({ a: true });
		expect(planDynamic({ synchronous_mode: true }, { synchronous_mode: "quorum" })).toEqual({
			synchronous_mode: "quorum",
		});
		expect(planDynamic({ a: 1 }, { a: { b: 1 } })).toEqual({ a: { b: 1 } });
	});
});

/** What Patroni makes of a patch (utils.py, patch_config). */
function patched(found: JsonObject, patch: JsonObject): JsonObject {
	const result = { ...found };
	for (const [key, value] of Object.entries(patch)) {
		const now = result[key];
		if (value === null) delete result[key];
		else if (isObject(value) && isObject(now)) result[key] = patched(now, value);
		else if (now === undefined || isObject(value) || String(now) !== String(value)) result[key] = value;
	}
	return result;
}
const isObject = (value: Json | undefined): value is JsonObject =>
	typeof value === "object" && value !== null && !Array.isArray(value);

test(`a patch brings any configuration to what is wanted, once (seed ${seed})`, () => {
	const key = fc.constantFrom("a", "b", "c", "d");
	const leaf = fc.oneof(fc.integer({ min: 0, max: 2 }), fc.constantFrom("on", "off", "1"), fc.boolean());
	const flat = fc.dictionary(key, leaf, { maxKeys: 4, noNullPrototype: true });
	const tree = fc.dictionary(key, fc.oneof(leaf, flat), {
		maxKeys: 4,
		noNullPrototype: true,
	}) as fc.Arbitrary<JsonObject>;
	fc.assert(
		fc.property(tree, tree, tree, (found, desired, former) => {
			const patch = planDynamic(found, desired, former);
			const after = patched(found, patch ?? {});
			expect(planDynamic(after, desired, former)).toBeUndefined();
			const others = Object.keys(found).filter((name) => !(name in desired) && !(name in former));
			for (const name of others) expect(after[name]).toEqual(found[name]);
			expect(JSON.stringify(after)).not.toContain("null");
		}),
		{ seed, numRuns: 500 },
	);
});
