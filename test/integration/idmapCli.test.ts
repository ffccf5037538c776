import { spawn } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { MapScene, named } from "../support/idMaps.ts";
import { root } from "../support/node.ts";

let scene: MapScene;
beforeEach(() => {
	scene = new MapScene(named(1000));
});
afterEach(() => scene.remove());

const declare = (change: object = {}) =>
	writeFileSync(
		join(scene.folder, "map.yaml"),
		stringify({
			name: "things",
			location: "map",
			ids: { kind: "deterministic" },
			format: "uuid",
			sources: [{ kind: "file", path: "ids.ndjson" }],
			...change,
		}),
	);

/** The command as it ships, given from another folder than the declaration's. */
function idmap(
	words: string[],
	env: NodeJS.ProcessEnv = {},
): Promise<{ code: number | null; out: string; err: string }> {
	const { INIT_CWD: _, ...own } = process.env;
	const args = [join(root, "scripts/holdfast.ts"), "idmap", ...words];
	const child = spawn(process.execPath, args, {
		cwd: "/",
		env: { ...own, HOLDFAST_HOME: join(scene.folder, "home"), ...env },
	});
	const said = { out: "", err: "" };
	child.stdout.on("data", (text) => {
		said.out += text;
	});
	child.stderr.on("data", (text) => {
		said.err += text;
	});
	return new Promise((resolve) => child.once("close", (code) => resolve({ code, ...said })));
}
const file = () => join(scene.folder, "map.yaml");

test("build, build again, show, export, verify, and refuse", async () => {
	declare();
	expect(await idmap(["build", file()])).toMatchObject({ code: 2, err: expect.stringContaining("--generate-secret") });
	const built = await idmap(["build", file(), "--generate-secret", "--json"]);
	expect(built.code).toBe(0);
	const { hash, ...rest } = JSON.parse(built.out);
	expect(rest).toEqual({ count: 1000, segments: 1, changed: true });
	expect(statSync(join(scene.folder, "map.secret")).mode & 0o777).toBe(0o600);

	const again = await idmap(["build", file()]);
	expect(again).toMatchObject({ code: 0, out: `id map things: unchanged, 1,000 ids in 1 segment\nhash ${hash}\n` });
	expect(JSON.parse((await idmap(["show", file(), "--json"])).out)).toMatchObject({ hash, kinds: { Dataset: 1000 } });
	expect((await idmap(["show", file(), "--format", "csv"])).out.split("\r\n")).toHaveLength(1002);
	expect((await idmap(["export", file()])).out.split("\n")).toHaveLength(1001);
	expect((await idmap(["verify", file(), "--sources"])).out).toContain("it has all 1,000 ids of the sources");

	scene.write(named(1001));
	expect(await idmap(["build", file()])).toMatchObject({
		code: 10,
		err: expect.stringContaining("set generation to 2"),
	});
	expect((await idmap(["verify", file(), "--sources"])).code).toBe(14);
	declare({ generation: 2 });
	expect((await idmap(["build", file()])).out).toContain("built, 1,001 ids in 2 segments");
	expect((await idmap(["build", file(), "--generate-secret"])).code).toBe(2);
	for (const words of [
		["burn", file()],
		["export", file(), "--format", "xml"],
		["show", "/none.yaml"],
	])
		expect((await idmap(words)).code).toBe(2);
	const secret = readFileSync(join(scene.folder, "map.secret"), "utf8").trim();
	for (const { out, err } of [built, again]) expect(out + err).not.toContain(secret);
});

test("a secret comes from a file that only its owner reads, or from a variable; never from the declaration", async () => {
	const secret = "a secret of some length";
	declare({ ids: { kind: "deterministic", secret } });
	const refused = await idmap(["build", file()]);
	expect(refused).toMatchObject({ code: 2, err: expect.stringContaining("secretFile") });
	expect(refused.out + refused.err).not.toContain(secret);

	writeFileSync(join(scene.folder, "secret"), `${secret}\n`, { mode: 0o644 });
	declare({ ids: { kind: "deterministic", secretFile: "secret" } });
	expect(await idmap(["build", file()])).toMatchObject({ code: 2, err: expect.stringContaining("chmod 600") });
	expect(existsSync(scene.location)).toBe(false);

	declare({ ids: { kind: "deterministic", secretVariable: "MAP_SECRET" } });
	expect((await idmap(["build", file()])).code).toBe(2);
	expect((await idmap(["build", file()], { MAP_SECRET: "too short" })).code).toBe(2);
	const built = JSON.parse((await idmap(["build", file(), "--json"], { MAP_SECRET: secret })).out);
	writeFileSync(join(scene.folder, "private"), secret, { mode: 0o600 });
	const again = await idmap(["build", file(), "--json", "--secret-file", join(scene.folder, "private")]);
	expect(JSON.parse(again.out)).toEqual({ ...built, changed: false });
	expect((await idmap(["build", file()], { MAP_SECRET: "another secret of some length" })).code).toBe(10);
});

test("a map that is cut off: exit code 11", async () => {
	declare({ ids: { kind: "random" } });
	expect((await idmap(["build", file()])).code).toBe(0);
	const bytes = readFileSync(scene.segment());
	const { chmodSync } = await import("node:fs");
	chmodSync(scene.segment(), 0o600);
	writeFileSync(scene.segment(), bytes.subarray(0, bytes.length / 2));
	for (const verb of ["verify", "show", "export", "build"]) expect((await idmap([verb, file()])).code).toBe(11);
});
