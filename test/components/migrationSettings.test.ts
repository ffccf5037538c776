import * as pulumi from "@pulumi/pulumi";
import { readSettings } from "../../stacks/settings.ts";
import { known } from "../support/mocks.ts";

const idMaps = { ids: { location: "maps/ids", sources: [{ kind: "file", path: "names", of: "Dataset" }] } };
const migrations = { move: { kind: "datastore", idMap: "ids", source: { project: "demo" }, database: "moved" } };

function settings(config: Record<string, unknown>, secrets: string[] = []) {
	const all = Object.entries(config).map(([name, value]) => [`holdfast:${name}`, JSON.stringify(value)]);
	pulumi.runtime.setAllConfig(Object.fromEntries(all), secrets);
	return readSettings();
}

test("maps and migrations are read with their defaults, and what is not mentioned does not run", () => {
	const read = settings({ mongo: {}, idMaps, migrations });
	expect(read.idMaps.ids).toMatchObject({ strategy: "deterministic", generation: 1 });
	expect(read.migrations.move).toMatchObject({ ledger: "holdfast_migrations", pageSize: 500, timeoutMinutes: 60 });
	expect([read.postgres, read.redis]).toEqual([undefined, undefined]);
	const alone = settings({ idMaps });
	expect([alone.mongo, alone.postgres, alone.redis, alone.migrations]).toEqual([undefined, undefined, undefined, {}]);
});

test("a stack that mentions nothing runs the three systems, and moves nothing", () => {
	const read = settings({});
	expect([read.mongo?.name, read.postgres?.name, read.redis?.name]).toEqual(["rs0", "pg0", "redis0"]);
	expect([read.idMaps, read.migrations]).toEqual([{}, {}]);
});

test("the key of a map can be given, and is secret then", async () => {
	const read = settings({ mongo: {}, idMaps, secrets: { idMaps: { ids: "sixteen characters" } } });
	expect(await known(read.secrets.idMaps.ids!)).toEqual({ value: "sixteen characters", secret: true });
	expect(read.secrets.mongo).toEqual({});
});

test.each([
	[{ migrations }, /holdfast:migrations\.move\.idMap: there is no ids below holdfast:idMaps/],
	[{ idMaps, migrations }, /holdfast:migrations\.move: its ledger needs a replica set/],
	[{ idMaps: { ids: { ...idMaps.ids, strategy: "sequential", format: "hex" } } }, /holdfast:idMaps\.ids\.format/],
	[
		{ mongo: {}, idMaps, migrations: { move: { ...migrations.move, database: "holdfast_migrations" } } },
		/move\.database/,
	],
	[{ mongo: {}, idMaps, secrets: { idMaps: { ids: "short" } } }, /holdfast:secrets\.idMaps\.ids: use at least 16/],
	[{ mongo: {}, idMaps, secrets: { idMaps: { other: "sixteen characters" } } }, /holdfast:secrets\.idMaps/],
])("what does not fit together is refused by name: %j", (config, message) => {
	expect(() => settings(config)).toThrow(message);
	expect(() => settings(config)).toThrow(/^HF_SETTING: .*Next: correct stacks\/config\//);
});
