import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { allCached, cached } from "../../../scripts/toolchain/cache.ts";
import { recordOf } from "../../../scripts/toolchain/ensure.ts";
import { matchingFolders, onMachine } from "../../../scripts/toolchain/probe.ts";
import { failure, type NoSource, select } from "../../../scripts/toolchain/select.ts";
import type { Family, Source, Tool } from "../../../scripts/toolchain/tool.ts";
import { failing, program, thing, workshop } from "./fixture.ts";

/** Things of which 3.x is the default, with helpers of their own, and TLS where a file `tls` lies beside them. */
function things(folder: string, sources: readonly Source[], more: Partial<Family> = {}): Tool {
	const family: Family = {
		default: { from: "3", below: "4" },
		programs: ["thing-ctl"],
		folders: [join(folder, "usr/lib/thing/*/bin"), join(folder, "usr/thing-*/bin")],
		also: [],
		tls: async (path) => matchingFolders(join(dirname(path), "tls*")).length > 0,
		...more,
	};
	return thing(sources, { pin: "3.5.0", family });
}

/** A build with what belongs to it. */
function build(path: string, version: string): string {
	program(join(path, "../thing-ctl"), "");
	return program(path, `thing ${version}`);
}

function both(name: string): Source {
	const make = async ({ into }: { into: string }) => {
		build(join(into, "bin/thing"), "3.5.0");
		build(join(into, "old/bin/thing"), "2.9.0");
	};
	return { name, doing: "making", hint: "at once", make };
}
const also = [{ version: "2.9.0", program: "old/bin/thing" }];

test("folders are found by their pattern, the highest number first", () => {
	const { folder } = workshop();
	for (const name of ["9.6", "15", "18", "other/9"]) mkdirSync(join(folder, "lib", name), { recursive: true });
	const found = matchingFolders(join(folder, "lib/*/bin"));
	expect(found).toEqual(["other", "18", "15", "9.6"].map((name) => join(folder, "lib", name, "bin")));
	for (const name of ["pgsql-16", "pgsql-18", "local"]) mkdirSync(join(folder, "usr", name), { recursive: true });
	expect(matchingFolders(join(folder, "usr/pgsql-*/bin"))).toEqual(
		["pgsql-18", "pgsql-16"].map((name) => join(folder, "usr", name, "bin")),
	);
	expect(matchingFolders(join(folder, "absent/*/bin"))).toEqual([]);
});

test("a build of a package off PATH is found, and one on PATH comes first", async () => {
	const shop = workshop();
	const tool = things(shop.folder, []);
	const packaged = build(join(shop.folder, "usr/lib/thing/3/bin/thing"), "3.2.0");
	build(join(shop.folder, "usr/thing-3/bin/thing"), "3.1.0");
	expect(await select(tool, shop)).toMatchObject({ path: packaged, version: "3.2.0", source: "system packages" });
	const path = build(join(shop.folder, "bin/thing"), "3.0.0");
	expect(await select(tool, shop)).toMatchObject({ path, version: "3.0.0", source: "PATH" });
});

test("a build off the default's range is passed over for a source, and can be named", async () => {
	const shop = workshop();
	const tool = things(shop.folder, [both("registry")]);
	const path = build(join(shop.folder, "bin/thing"), "2.4.0");
	const found = await select(tool, shop);
	expect(found).toMatchObject({ version: "3.5.0", source: "registry" });
	const entries = await recordOf(tool, found, shop);
	expect(entries[0]![1].builds).toEqual([{ path, version: "2.4.0", tls: false }]);
});

test("a link on PATH stands for the folder it leads to, once", async () => {
	const shop = workshop();
	const tool = things(shop.folder, []);
	const real = build(join(shop.folder, "usr/lib/thing/3/bin/thing"), "3.2.0");
	mkdirSync(join(shop.folder, "bin"));
	symlinkSync(real, join(shop.folder, "bin/thing"));
	const { found } = await onMachine(tool, tool.range, shop.env.PATH!, []);
	expect(found).toMatchObject([{ path: real, source: "PATH" }]);
});

test("a package without all programs (clients only, or no server tools) is passed over", async () => {
	const shop = workshop();
	program(join(shop.folder, "usr/lib/thing/3/bin/thing"), "thing 3.2.0");
	const error = await select(things(shop.folder, [failing("registry", "closed")]), shop).catch((reason) => reason);
	expect(error.message).toMatch(/has no thing-ctl beside it/);
	expect(failure([error as NoSource]).message).toContain("thing 3 or newer, below 4");
});

test("every build of a source is recorded with its TLS, from the cache too", async () => {
	const shop = workshop();
	const tool = things(shop.folder, [both("registry")], { also });
	for (const _ of ["made", "cached"]) {
		const found = await select(tool, shop);
		const folder = join(found.path, "../..");
		const entries = await recordOf(tool, found, shop);
		expect(entries.map(([name]) => name)).toEqual(["thing"]);
		expect(entries[0]![1]).toMatchObject({
			path: join(folder, "bin/thing"),
			tls: false,
			builds: [{ path: join(folder, "old/bin/thing"), version: "2.9.0", tls: false }],
		});
	}
	expect(allCached(shop.cache, { ...tool, pin: "3.6.0" }).map(({ version }) => version)).toEqual(["3.5.0", "2.9.0"]);
});

test.each([
	["another version", [{ version: "2.8.0", program: "old/bin/thing" }], /it made version 2\.9\.0/],
	["a build that is not there", [{ version: "2.9.0", program: "none/thing" }], /none\/thing does not run/],
])("a source that made %s is not used", async (_, wrong, reason) => {
	const shop = workshop();
	const tool = things(shop.folder, [both("registry")], { also: wrong });
	await expect(select(tool, shop)).rejects.toThrow(reason);
	expect(cached(shop.cache, tool)).toBeUndefined();
});

test("a build that needs an interpreter is made again when that is gone", async () => {
	const shop = workshop();
	const interpreter = program(join(shop.folder, "python3.11"), "");
	let times = 0;
	const make: Source["make"] = async ({ into, needs }) => {
		times++;
		program(join(into, "bin/thing"), "thing 2.5.0");
		needs.push(interpreter);
	};
	const tool = thing([{ name: "registry", doing: "making", hint: "at once", make }]);
	expect((await select(tool, shop)).needs).toEqual([interpreter]);
	await select(tool, shop);
	expect(times).toBe(1);
	rmSync(interpreter);
	expect(cached(shop.cache, tool)).toBeUndefined();
	await select(tool, shop);
	expect(times).toBe(2);
});
