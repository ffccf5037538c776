import type * as pulumi from "@pulumi/pulumi";
import { IdMap, type IdMapArgs } from "../../components/migration/idMap.ts";
import { Migration, type MigrationArgs } from "../../components/migration/migration.ts";
import { MongoReplicaSet } from "../../components/mongo/replicaSet.ts";
import { ExistingPlatform } from "../../components/platform/existing.ts";
import type { KindName } from "../../runtime/kinds.ts";
import { serve } from "../../runtime/lifecycle.ts";
import { known, only, type Registered, underMocks } from "../support/mocks.ts";

const dynamic = (kind: string) => `pulumi-nodejs:dynamic/${kind}`;
const MAP = dynamic("migrate:IdMap");
const RUN = dynamic("migrate:Migration");
const SECRET = dynamic("secret:Secret");
const HASH = "ab".repeat(32);

const sources: IdMapArgs["sources"] = [{ kind: "datastore", project: "demo", kinds: ["Account", "Dataset"] }];
const map = (args: Partial<IdMapArgs> = {}) => new IdMap("dyff", { location: "maps/dyff", sources, ...args });
const set = () => {
	const platform = new ExistingPlatform([{ host: "10.0.0.1", port: 27_017 }]);
	return new MongoReplicaSet("main", { stack: "demo", platform, name: "rs0", members: 1 });
};
const entities: MigrationArgs["move"] = {
	kind: "datastore",
	source: { project: "demo", kinds: ["Account", "Dataset"] },
	database: "workflows",
	rules: { kinds: { Dataset: { collection: "datasets" } } },
};
const objects: MigrationArgs["move"] = {
	kind: "objects",
	source: { bucket: "old-bucket" },
	target: { bucket: "new-bucket" },
	rules: [{ match: "datasets/{Dataset}/**" }],
};
const migration = (args: Partial<MigrationArgs> = {}, opts?: () => pulumi.ComponentResourceOptions) =>
	underMocks(() => {
		const mongo = set();
		return new Migration("entities", { idMap: map(), mongo, move: entities, ...args }, opts?.());
	});

/** What the kind's schema says of the inputs that a program registers. */
async function failures(kind: KindName, { inputs }: Registered): Promise<unknown> {
	return ((await serve(kind, "check", [{}, inputs])) as { failures: unknown }).failures;
}

/** A program under mocks that throws would leave registrations to the next test. */
function refusal(program: () => unknown): string {
	try {
		program();
	} catch (error) {
		return String(error);
	}
	return "";
}

test("a map has its own key, generated, protected and secret wherever it goes", async () => {
	const { resources, result } = await underMocks(() => map());
	const made = only(resources, MAP, "dyff");
	expect(made.inputs).toMatchObject({
		name: "dyff",
		location: "maps/dyff",
		ids: { kind: "deterministic", secret: "value+of/dyff/id/map" },
		format: "uuid",
		sources: [{ kind: "datastore", project: "demo", database: "", namespaces: "all", kinds: ["Account", "Dataset"] }],
		generation: 1,
	});
	expect([made.parent, made.secrets.length > 0]).toEqual(["dyff", true]);
	expect(made.secrets.every((path) => path.startsWith("ids"))).toBe(true);
	expect(await failures("migrate/IdMap", made)).toEqual([]);
	const key = only(resources, SECRET, "dyff-id-map");
	expect([key.protect, key.parent]).toEqual([true, "dyff"]);
	expect(result.place).toEqual({ location: "maps/dyff" });
	expect(await known(result.hash)).toEqual({ value: HASH, secret: false });
	expect(await known(result.count)).toEqual({ value: 3, secret: false });
});

test("a key can be given, its protection left off, and the place be a bucket", async () => {
	const args = { location: "gs://maps/dyff", endpoint: "http://127.0.0.1:4443", protect: false };
	const { resources, result } = await underMocks(() =>
		map({ ...args, secret: { kind: "given", value: "sixteen characters" }, format: "objectId" }),
	);
	expect(only(resources, MAP, "dyff").inputs.ids).toEqual({ kind: "deterministic", secret: "sixteen characters" });
	expect(only(resources, SECRET, "dyff-id-map").protect).toBe(false);
	expect(result.place).toEqual({ location: "gs://maps/dyff", endpoint: "http://127.0.0.1:4443" });
});

test.each([
	["random", "uuid"],
	["sequential", "integer"],
] as const)("%s ids have no key, and %s as their format", async (strategy, format) => {
	const { resources } = await underMocks(() => map({ strategy }));
	const made = only(resources, MAP, "dyff");
	expect([made.inputs.ids, made.inputs.format, made.secrets]).toEqual([{ kind: strategy }, format, []]);
	expect(resources.filter(({ type }) => type === SECRET)).toEqual([]);
	expect(await failures("migrate/IdMap", made)).toEqual([]);
});

test("a migration runs with the map's hash, after the map and after the set", async () => {
	const { resources, result } = await migration();
	const made = only(resources, RUN, "entities");
	expect(made.inputs).toMatchObject({
		kind: "datastore",
		name: "entities",
		idMap: { location: "maps/dyff", hash: HASH },
		mongo: { access: { stack: "demo", cluster: "main" } },
		ledger: "holdfast_migrations",
		maxErrors: 1000,
		concurrency: 4,
		timeoutMinutes: 60,
		run: "complete",
		source: { project: "demo", database: "", namespaces: "all" },
		database: "workflows",
		rules: { defaults: {}, kinds: { Dataset: { collection: "datasets" } } },
		pageSize: 500,
	});
	expect(made.after).toEqual(expect.arrayContaining(["dyff", "main"]));
	expect([made.parent, made.secrets, made.deletedWith, made.protect]).toEqual(["entities", [], "", false]);
	expect(await failures("migrate/Migration", made)).toEqual([]);
	expect(await known(result.state)).toEqual({ value: "complete", secret: false });
	expect(await known(result.written)).toEqual({ value: 3, secret: false });
});

test("it waits for what it is told to wait for, and takes limits", async () => {
	const limits = { ledger: "moves", maxErrors: "1%", concurrency: 8, timeoutMinutes: 5 };
	const { resources } = await migration(limits, () => ({
		dependsOn: [new IdMap("other", { location: "maps/other", sources })],
	}));
	const made = only(resources, RUN, "entities");
	expect(made.inputs).toMatchObject(limits);
	expect(made.after).toContain("other");
});

test("objects move between buckets, with the ledger in any replica set", async () => {
	const { resources } = await migration({ move: objects, mongo: { uriVariable: "TARGET_URI" } });
	const made = only(resources, RUN, "entities");
	expect(made.inputs).toMatchObject({
		kind: "objects",
		mongo: { uriVariable: "TARGET_URI" },
		source: { bucket: "old-bucket", prefix: "" },
		target: { bucket: "new-bucket", prefix: "" },
		rules: [{ match: "datasets/{Dataset}/**", skip: false }],
		unmatched: "deadLetter",
	});
	expect(await failures("migrate/Migration", made)).toEqual([]);
});

test.each([
	[{ move: { ...entities, database: "holdfast_migrations" } }, /the ledger is kept in a database of its own/],
	[{ move: { ...entities, rules: { kinds: { Datset: {} } } } }, /a rule for a kind that source.kinds does not name/],
	[{ move: { ...objects, target: { bucket: "old-bucket", prefix: "new/" } } }, /must not lie in one another/],
	[{ move: entities, timeoutMinutes: 0 }, /timeoutMinutes/],
	[{ move: { ...entities, readTime: "2026-11-21T10:00:00.5Z" } }, /whole second/],
] as [
	Partial<MigrationArgs>,
	RegExp,
][])("what cannot be is refused before anything is registered: %j", async (args, message) => {
	const { resources, result } = await underMocks(() => {
		const [idMap, mongo] = [map(), set()];
		return refusal(() => new Migration("entities", { idMap, mongo, move: entities, ...args }));
	});
	expect(result).toMatch(message);
	expect(resources.filter(({ type }) => type === RUN)).toEqual([]);
});

test.each([
	[{ strategy: "sequential", format: "uuid" }, /integer is for sequential ids/],
	[{ format: "integer" }, /integer is for sequential ids/],
	[{ sources: [] }, /sources/],
] as [Partial<IdMapArgs>, RegExp][])("a map that cannot be is refused likewise: %j", async (args, message) => {
	const { result } = await underMocks(() => refusal(() => map(args)));
	expect(result).toMatch(message);
});

test("values that are not known at preview pass the checks", async () => {
	const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
	const { resources } = await migration();
	const made = only(resources, RUN, "entities");
	const inputs = { ...made.inputs, idMap: { location: "maps/dyff", hash: unknown } };
	expect(await failures("migrate/Migration", { ...made, inputs })).toEqual([]);
	const ofMap = only(resources, MAP, "dyff");
	const unmade = { ...ofMap.inputs, ids: { kind: "deterministic", secret: unknown } };
	expect(await failures("migrate/IdMap", { ...ofMap, inputs: unmade })).toEqual([]);
});
