import { statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { toolPath } from "../../../runtime/tools.ts";
import { ensureTools } from "../../../scripts/toolchain/ensure.ts";
import { toolList } from "../../../scripts/toolchain/list.ts";
import { lockOf, readRecord, writeRecord } from "../../../scripts/toolchain/record.cjs";
import { program, scratch, script } from "./fixture.ts";

const root = join(__dirname, "../../..");
const before = process.env.HOLDFAST_HOME;
let home: string;
let env: NodeJS.ProcessEnv;

function postgres(version: string, tls: string): string {
	const body = `case $1 in --version) echo "postgres (PostgreSQL) ${version}" ;; -C) echo "${tls}" ;; esac`;
	return script(join(home, "postgres"), body);
}

beforeEach(() => {
	home = scratch();
	process.env.HOLDFAST_HOME = home;
	env = { PATH: join(home, "path"), HOLDFAST_CACHE: join(home, "cache") };
	const programs = {
		pulumi: program(join(home, "pulumi"), "v3.250.0"),
		"pulumi-language-nodejs": program(join(home, "pulumi-language-nodejs"), ""),
		"pulumi-resource-pulumi-nodejs": program(join(home, "pulumi-resource-pulumi-nodejs"), ""),
		mongod: program(join(home, "mongod"), "db version v8.0.17"),
		supervisord: program(join(home, "supervisord"), "4.3.0"),
		etcd: program(join(home, "etcd"), "etcd Version: 3.6.16"),
		patroni: program(join(home, "patroni"), "patroni 4.1.5"),
		patronictl: program(join(home, "patronictl"), ""),
		postgres: postgres("18.4", "openssl"),
		"redis-server": program(join(home, "redis-server"), "Redis server v=7.0.15 sha=0"),
	};
	const versions: Record<string, string> = {
		"pulumi-language-nodejs": "3.55.0",
		mongod: "8.0.16",
		supervisord: "4.3.0",
		etcd: "3.6.16",
		patroni: "4.1.5",
		patronictl: "4.1.5",
		postgres: "18.4",
		"redis-server": "7.0.15",
	};
	const entries = Object.entries(programs).map(([name, path]) => {
		return [name, { path, version: versions[name] ?? "3.250.0", source: "PATH", builds: [] }];
	});
	writeRecord(home, { lock: lockOf(root), tools: Object.fromEntries(entries) });
});
afterAll(() => {
	if (before === undefined) delete process.env.HOLDFAST_HOME;
	else process.env.HOLDFAST_HOME = before;
});

test("a current record is left alone", async () => {
	const { ino } = statSync(join(home, "tools.json"));
	expect((await ensureTools(root, env)).tools.mongod!.version).toBe("8.0.16");
	expect(statSync(join(home, "tools.json")).ino).toBe(ino);
});

test("the list shows versions as they are now, in the order of the catalogue", async () => {
	const listed = await toolList(root, env);
	expect(listed.map(({ name, version }) => `${name} ${version}`)).toEqual([
		"pulumi 3.250.0",
		"pulumi-language-nodejs 3.55.0",
		"pulumi-resource-pulumi-nodejs 3.250.0",
		"mongod 8.0.17",
		"supervisord 4.3.0",
		"etcd 3.6.16",
		"patroni 4.1.5",
		"patronictl 4.1.5",
		"postgres 18.4",
		"redis-server 7.0.15",
	]);
	// Which other builds of PostgreSQL this machine has is its own affair.
	expect(listed.filter(({ name }) => name !== "postgres").flatMap(({ warnings }) => warnings)).toEqual([]);
});

test("a build that appeared on PATH is listed and can be named from then on, without becoming the default", async () => {
	await expect(toolPath("mongod", "7.0")).rejects.toThrow(/no mongod 7\.0/);
	const path = program(join(home, "path/mongod"), "db version v7.0.28");
	const mongod = (await toolList(root, env)).find(({ name }) => name === "mongod");
	expect(mongod).toMatchObject({ version: "8.0.17", builds: [{ path, version: "7.0.28" }] });
	expect(await toolPath("mongod", "7.0")).toBe(path);
	expect(await toolPath("mongod")).toBe(join(home, "mongod"));
});

test("whether PostgreSQL has TLS is read again", async () => {
	const tls = async () => (await toolList(root, env)).find(({ name }) => name === "postgres")!.tls;
	expect(await tls()).toBe(true);
	utimesSync(postgres("18.5", ""), 1, 1);
	expect(await tls()).toBe(false);
	expect(readRecord(home)!.tools.postgres).toMatchObject({ version: "18.5", tls: false });
});

test("a program that no longer runs is a warning, not the end of the list", async () => {
	script(join(home, "supervisord"), "echo 'no module named supervisor' >&2; exit 1");
	const listed = await toolList(root, env);
	const supervisord = listed.find(({ name }) => name === "supervisord")!;
	expect(supervisord.version).toBe("4.3.0");
	expect(supervisord.warnings).toEqual([expect.stringContaining("no module named supervisor")]);
});
