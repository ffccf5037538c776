import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parse, stringify } from "yaml";
import { openToOthers, ProcessWatch, tellingFiles, told } from "../support/canaries.ts";
import { root } from "../support/node.ts";
import { PatroniUnderTest } from "../support/patroni.ts";
import { type Result, TestStack } from "../support/stack.ts";

jest.setTimeout(300_000);

const scratch = mkdtempSync(join(tmpdir(), "holdfast-scratch-"));
const random = () => randomBytes(12).toString("hex");
/** Whatever the rest becomes in a file of whatever form, the random part stays as it is: that is what is searched. */
const special = (core: string) => `p@ss:/%"' $\\\`ü${core}`;
const roles = { given: {}, made: {} };
const system = ["superuser", "replication", "rewind"];

/** All secrets that ever were, by name. */
const canaries: Record<string, string> = {};
/** What every command printed. */
const printed: Record<string, string> = {};
let stack: TestStack;
let cluster: PatroniUnderTest;
let watch: ProcessWatch;

/** Runs a command with temporary files inside the stack's home, and keeps what it prints. */
async function run(args: string[], input = ""): Promise<Result> {
	const env = { ...stack.env, TMPDIR: join(stack.home, "tmp") };
	const child = spawn(process.execPath, ["scripts/holdfast.ts", ...args, "--stack", stack.name], { cwd: root, env });
	child.stdin.end(input);
	const code = new Promise<number>((resolve) => child.once("close", (status) => resolve(status ?? 255)));
	const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
	return { code: await code, stdout, stderr };
}
async function kept(...args: string[]): Promise<Result> {
	const result = await run(args);
	printed[`${Object.keys(printed).length} ${args.join(" ")}`] = result.stdout + result.stderr;
	return result;
}
async function must(...args: string[]): Promise<Result> {
	const result = await kept(...args);
	if (result.code !== 0) throw new Error(`${args.join(" ")} exited ${result.code}\n${result.stdout}\n${result.stderr}`);
	return result;
}

/** As the documentation says: from standard input, encrypted into the stack's configuration. */
async function give(name: string, end = ""): Promise<void> {
	const core = random();
	canaries[`given ${name} ${Object.keys(canaries).length}`] = core;
	const path = `holdfast:secrets.postgres.${name}`;
	const { code, stderr } = await run(["pulumi", "config", "set", "--secret", "--path", path], special(core) + end);
	if (code !== 0) throw new Error(`config set ${name}: ${stderr}`);
}

/** Changes settings without losing the secrets that lie beside them. */
function configure(change: (postgres: Record<string, unknown>) => void): void {
	const configuration = parse(readFileSync(stack.config, "utf8"));
	change(configuration.config["holdfast:postgres"]);
	writeFileSync(stack.config, stringify(configuration));
}

/** Remembers the secrets that exist now and that nobody gave; by the one command that is meant to show them. */
async function collect(): Promise<string> {
	const { stdout } = await run(["pulumi", "stack", "export", "--show-secrets"]);
	const { deployment } = JSON.parse(stdout) as {
		deployment: { resources: { urn: string; outputs?: { value?: { plaintext: string } } }[] };
	};
	for (const { urn, outputs } of deployment.resources) {
		if (!urn.includes("secret:Secret::") || outputs?.value === undefined) continue;
		const value = JSON.parse(outputs.value.plaintext) as string;
		if (!Object.values(canaries).some((known) => value.includes(known)))
			canaries[`${urn.split("::").at(-1)} ${Object.keys(canaries).length}`] = value;
	}
	return stdout;
}

beforeAll(async () => {
	stack = await TestStack.createPostgres("pgcanary", { members: 2, roles });
	cluster = new PatroniUnderTest(stack);
	mkdirSync(join(stack.home, "tmp"), { mode: 0o700 });
	watch = new ProcessWatch();
	await must("preview");
	for (const name of [...system, "given"]) await give(name);
	await must("up");
});
afterAll(async () => {
	watch.stop();
	await TestStack.destroyAll();
	rmSync(scratch, { recursive: true });
});

test("the scanner finds what may be known, and all that exists was collected", async () => {
	const all = await collect();
	canaries.passphrase = readFileSync(join(stack.home, "passphrase"), "utf8");
	const names = Object.keys(canaries);
	expect(names.filter((name) => /^pg0-(restapi|etcd|etcd-root|role-made|.*made.*) /.test(name))).toHaveLength(4);
	expect(told(all, canaries).sort()).toEqual(names.filter((name) => name !== "passphrase").sort());
	const { stdout } = await run(["connect", "postgres", "--reveal"]);
	expect(told(stdout, canaries)).toHaveLength(3);
});

test("rotations, refused passwords, drift, a switchover and a restart, with the processes watched", async () => {
	for (const name of [...system, "given"]) await give(name);
	configure((postgres) => {
		postgres.roles = { given: {}, made: { generation: 2 } };
		postgres.maxConnections = 50;
	});
	await must("preview");
	await must("up", "--json");
	await must("switchover", "pg0");
	await stack.whole();
	await collect();
	const before = Object.keys(canaries).length;
	await give("superuser", "\rline");
	const { code, stdout } = await kept("up");
	expect([code === 0, stdout]).toEqual([
		false,
		expect.stringMatching(/secrets\.postgres\.superuser: must not contain/),
	]);
	await give("superuser");
	await cluster.sql("ALTER ROLE replicator PASSWORD 'by hand'");
	for (const args of [
		["refresh"],
		["up"],
		["status"],
		["status", "--json"],
		["connect", "postgres"],
		["connect", "postgres", "--form", "pgpass"],
		["connect", "postgres", "--form", "readonly", "--json"],
		["env"],
	])
		await must(...args);
	await must("pulumi", "stack", "export");
	await must("pulumi", "stack", "history", "--full-dates");
	await must("pulumi", "config");
	expect(Object.keys(canaries)).toHaveLength(before + 2);
});

test("no command printed a secret", () => {
	expect(Object.keys(printed).length).toBeGreaterThan(14);
	for (const [command, words] of Object.entries(printed))
		expect([command, told(words, canaries)]).toEqual([command, []]);
});

test("files hold secrets only where they are needed, and there for their owner alone", () => {
	const found = tellingFiles(stack.home, canaries, scratch);
	const record = `${stack.name}/clusters/pg0.json`;
	const member = (slot: number, file: string) => `${stack.name}/members/pg0-${slot}/${file}`;
	const own = [0, 1].flatMap((slot) => [member(slot, "live/patroni/50-secrets.yml"), member(slot, "run/pgpass")]);
	expect(Object.keys(found).sort()).toEqual([record, ...own, "passphrase"].sort());
	const latest = (what: string) => Object.keys(canaries).findLast((name) => name.startsWith(what));
	const current = [...system.map((name) => `given ${name} `), "pg0-restapi ", "pg0-etcd "].map(latest).sort();
	for (const slot of [0, 1]) {
		expect(found[member(slot, "live/patroni/50-secrets.yml")]!.sort()).toEqual(current);
		expect(found[member(slot, "run/pgpass")]).toEqual([latest("given replication ")]);
	}
	expect(found[record]!.sort()).toEqual(
		[latest("given superuser "), latest("pg0-restapi "), latest("pg0-etcd-root ")].sort(),
	);
	for (const file of Object.keys(found))
		expect([file, statSync(join(stack.home, file)).mode & 0o777]).toEqual([file, 0o600]);
	expect(told(readFileSync(stack.config, "utf8"), canaries)).toEqual([]);
	expect(readFileSync(stack.config, "utf8")).toContain("secure:");
});

test("nobody else can look into what belongs to the stack", () => {
	for (const folder of [".", "state", stack.name, `${stack.name}/members/pg0-0`, `${stack.name}/clusters`])
		expect([folder, statSync(join(stack.home, folder)).mode & 0o777]).toEqual([folder, 0o700]);
	for (const slot of [0, 1]) expect(openToOthers(cluster.folder(slot))).toEqual([]);
	expect(openToOthers(join(stack.home, stack.name, "clusters"))).toEqual([]);
});

test("no process had a secret in its arguments or its environment", () => {
	expect(watch.rounds).toBeGreaterThan(100);
	const commands = [...watch.seen.keys()].join("\n");
	for (const program of [
		"etcd\0--config-file",
		"guard.sh",
		"patroni.py\0",
		"pg_basebackup",
		"postgres\0-D",
		"pulumi\0up",
	])
		expect(commands).toContain(program);
	const telling = watch.telling(canaries);
	// Pulumi hands the configuration to the program that way: for seconds, and readable by its owner alone.
	const program = Object.keys(telling).filter((what) =>
		/^environment of \S+ \S+\/@pulumi\/pulumi\/cmd\/run\//.test(what),
	);
	expect(Object.keys(telling).filter((what) => !program.includes(what))).toEqual([]);
	const names = new Set(program.flatMap((what) => telling[what]!));
	expect([...names].filter((name) => !name.startsWith("given"))).toEqual([]);
});

test("down leaves no secret behind", async () => {
	await must("down", "--delete-data", stack.name);
	expect(existsSync(join(stack.home, stack.name))).toBe(false);
	expect(Object.keys(tellingFiles(stack.home, canaries, scratch))).toEqual(["passphrase"]);
	expect(told(Object.values(printed).at(-1)!, canaries)).toEqual([]);
});
