import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parse, stringify } from "yaml";
import { openToOthers, ProcessWatch, tellingFiles, told } from "../support/canaries.ts";
import { root } from "../support/node.ts";
import { type Result, TestStack } from "../support/stack.ts";

jest.setTimeout(300_000);

const scratch = mkdtempSync(join(tmpdir(), "holdfast-scratch-"));
const random = () => randomBytes(12).toString("hex");
const special = () => `p@ss:/%"' $ü${random()}`;
const users = {
	given: { database: "users", roles: [{ role: "readWrite", db: "workflows" }] },
	made: { database: "users", roles: [{ role: "read", db: "workflows" }] },
};

/** All secrets that ever were, by name. */
const canaries: Record<string, string> = {};
/** What every command printed. */
const printed: Record<string, string> = {};
let stack: TestStack;
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
async function give(name: string, value: string): Promise<void> {
	if (!Object.values(canaries).includes(value)) canaries[`given ${name} ${Object.keys(canaries).length}`] = value;
	const { code, stderr } = await run(
		["pulumi", "config", "set", "--secret", "--path", `holdfast:secrets.${name}`],
		value,
	);
	if (code !== 0) throw new Error(`config set ${name}: ${stderr}`);
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
		if (!Object.values(canaries).includes(value))
			canaries[`${urn.split("::").at(-1)} ${Object.keys(canaries).length}`] = value;
	}
	return stdout;
}

beforeAll(async () => {
	stack = await TestStack.create("canary", { users });
	mkdirSync(join(stack.home, "tmp"), { mode: 0o700 });
	watch = new ProcessWatch();
	await must("preview");
	await give("given", special());
	await give("admin", special());
	await give("keyfile", randomBytes(300).toString("base64"));
	await must("preview", "--json");
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
	expect(Object.keys(canaries).length).toBeGreaterThanOrEqual(5);
	expect(told(all, canaries).sort()).toEqual(
		Object.keys(canaries)
			.filter((name) => name !== "passphrase")
			.sort(),
	);
	const { stdout } = await run(["connect", "mongo", "--reveal"]);
	expect(told(stdout, canaries)).toEqual([
		expect.stringMatching(/^given given/),
		expect.stringMatching(/^rs0-user-made/),
	]);
});

test("rotations, a refused password and a wrong key, drift and status, with the processes watched", async () => {
	const accepted = { given: special(), admin: special(), keyfile: randomBytes(300).toString("base64") };
	for (const [name, value] of Object.entries(accepted)) await give(name, value);
	const configuration = parse(readFileSync(stack.config, "utf8"));
	configuration.config["holdfast:mongo"].users.made.generation = 2;
	writeFileSync(stack.config, stringify(configuration));
	await must("preview");
	await must("preview", "--json");
	await must("up", "--json");
	await collect();
	await give("given", `${special()}\u0007`);
	const { code, stdout } = await kept("up");
	expect([code === 0, stdout]).toEqual([
		false,
		expect.stringMatching(/HF_SETTING: the password of user given of users/),
	]);
	await give("keyfile", `${random()} is no key`);
	expect((await kept("up")).code).not.toBe(0);
	await give("given", accepted.given);
	await give("keyfile", accepted.keyfile);
	for (const args of [
		["refresh"],
		["status"],
		["status", "--json"],
		["connect", "mongo"],
		["connect", "mongo", "--json"],
		["env"],
	])
		await must(...args);
	await must("up");
	await must("pulumi", "stack", "export");
	await must("pulumi", "stack", "history", "--full-dates");
	await must("pulumi", "config");
});

test("no command printed a secret", () => {
	expect(Object.keys(printed).length).toBeGreaterThan(12);
	for (const [command, words] of Object.entries(printed))
		expect([command, told(words, canaries)]).toEqual([command, []]);
});

test("files hold secrets only where they are needed, and there for their owner alone", () => {
	const found = tellingFiles(stack.home, canaries, scratch);
	const record = `${stack.name}/clusters/rs0.json`;
	const keyfiles = [0, 1, 2].map((slot) => `${stack.name}/members/rs0-${slot}/conf/keyfile`);
	expect(Object.keys(found).sort()).toEqual([record, ...keyfiles, "passphrase"].sort());
	const latest = (what: string) => Object.keys(canaries).filter((name) => name.startsWith(`given ${what}`));
	expect(found[record]!.every((name) => [...latest("admin"), ...latest("keyfile")].includes(name))).toBe(true);
	expect(found[record]).toHaveLength(2);
	for (const file of keyfiles) expect(found[file]).toEqual([expect.stringMatching(/^given keyfile/)]);
	for (const file of Object.keys(found)) expect(statSync(join(stack.home, file)).mode & 0o777).toBe(0o600);
	expect(told(readFileSync(stack.config, "utf8"), canaries)).toEqual([]);
	expect(readFileSync(stack.config, "utf8")).toContain("secure:");
});

test("nobody else can look into what belongs to the stack", () => {
	for (const folder of [".", "state", stack.name, `${stack.name}/members/rs0-0`, `${stack.name}/clusters`]) {
		expect([folder, statSync(join(stack.home, folder)).mode & 0o777]).toEqual([folder, 0o700]);
	}
	for (const slot of [0, 1, 2]) expect(openToOthers(stack.member(slot))).toEqual([]);
	expect(openToOthers(join(stack.home, stack.name, "clusters"))).toEqual([]);
	expect(openToOthers(stack.home).filter((path) => path.includes("passphrase"))).toEqual([]);
});

test("no process had a secret in its arguments or its environment", () => {
	expect(watch.rounds).toBeGreaterThan(100);
	const commands = [...watch.seen.keys()].join("\n");
	for (const program of ["mongod\0--config", "dynamic-provider", "supervisord", "pulumi\0up"])
		expect(commands).toContain(program);
	const telling = watch.telling(canaries);
	// Pulumi hands the configuration to the program that way: for seconds, and readable by its owner alone.
	const program = Object.keys(telling).filter((what) =>
		/^environment of \S+ \S+\/@pulumi\/pulumi\/cmd\/run\//.test(what),
	);
	expect(Object.keys(telling).filter((what) => !program.includes(what))).toEqual([]);
	expect([...new Set(program.flatMap((what) => telling[what]!))].filter((name) => !name.startsWith("given"))).toEqual(
		[],
	);
});

test("down leaves no secret behind", async () => {
	await must("down", "--delete-data", stack.name);
	expect(existsSync(join(stack.home, stack.name))).toBe(false);
	expect(Object.keys(tellingFiles(stack.home, canaries, scratch))).toEqual(["passphrase"]);
	expect(told(Object.values(printed).at(-1)!, canaries)).toEqual([]);
});
