import { utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { toolPath, toolVersion } from "../../../runtime/tools.ts";
import { writeRecord } from "../../../scripts/toolchain/record.cjs";
import { program, scratch, script } from "./fixture.ts";

let folder: string;
const before = process.env.HOLDFAST_HOME;
const build = (version: string) => program(join(folder, version, "mongod"), `db version v${version}`);

beforeEach(() => {
	folder = scratch();
	process.env.HOLDFAST_HOME = folder;
});
afterAll(() => {
	if (before === undefined) delete process.env.HOLDFAST_HOME;
	else process.env.HOLDFAST_HOME = before;
});

function record(version: string, others: string[]): void {
	const builds = others.map((other) => ({ version: other, path: build(other) }));
	const mongod = { version, path: build(version), source: "PATH", builds };
	writeRecord(folder, { lock: "x", tools: { mongod } });
}

test.each([
	[undefined, "6.0.5"],
	["6.0", "6.0.5"],
	["7", "7.0.28"],
	["7.0.9", "7.0.9"],
	["6.0.27", "6.0.27"],
])("build %s is %s: the default if it matches, else the newest", async (wanted, version) => {
	record("6.0.5", ["7.0.9", "7.0.28", "6.0.27"]);
	expect(await toolPath("mongod", wanted)).toBe(join(folder, version, "mongod"));
});

test("an unknown version names those that are known and the way to add one", async () => {
	record("6.0.5", ["7.0.28"]);
	await expect(toolPath("mongod", "8.0")).rejects.toMatchObject({
		code: "HF_TOOL",
		message: expect.stringMatching(/no mongod 8\.0 .*6\.0\.5 .*7\.0\.28/),
		next: expect.stringContaining("holdfast -- doctor"),
	});
});

test("an absolute path must be an executable file", async () => {
	const path = build("8.0.1");
	expect(await toolPath("mongod", path)).toBe(path);
	writeFileSync(join(folder, "text"), "no program");
	for (const wrong of [join(folder, "text"), folder, join(folder, "absent")]) {
		await expect(toolPath("mongod", wrong)).rejects.toMatchObject({ code: "HF_TOOL" });
	}
});

test("no record, a damaged record and a vanished program are told apart from success", async () => {
	await expect(toolPath("mongod")).rejects.toThrow(/cannot be read/);
	writeFileSync(join(folder, "tools.json"), "{");
	await expect(toolPath("mongod")).rejects.toThrow(/cannot be read/);
	writeRecord(folder, {
		lock: "x",
		tools: { mongod: { version: "6.0.5", path: "/absent", source: "PATH", builds: [] } },
	});
	await expect(toolPath("mongod")).rejects.toThrow(/\/absent is not an executable mongod/);
	await expect(toolPath("supervisord")).rejects.toThrow(/names no supervisord/);
});

test("the version of a binary is read again when the file changed", async () => {
	const path = build("6.0.5");
	expect(await toolVersion(path)).toBe("6.0.5");
	program(path, "db version v7.0.28");
	utimesSync(path, 1, 1);
	expect(await toolVersion(path)).toBe("7.0.28");
});

test.each([
	["etcd", "etcd Version: 3.6.16\nGit SHA: Not provided", "3.6.16"],
	["patroni", "patroni 4.1.5", "4.1.5"],
	["postgres", "postgres (PostgreSQL) 18.4", "18.4"],
	["postgres", "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", "15.18"],
	["redis-server", "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=ae4d7c97", "7.0.15"],
] as const)("%s that says %j is %s", async (name, says, version) => {
	expect(await toolVersion(script(join(folder, name), `echo '${says}'`), name)).toBe(version);
});

test("a binary that does not tell its version is refused", async () => {
	const path = program(join(folder, "mongod"), "hello");
	await expect(toolVersion(path)).rejects.toThrow(/does not say that it is mongod/);
	await expect(toolVersion("/absent/mongod")).rejects.toMatchObject({ code: "HF_TOOL" });
});
