import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lockOf, writeRecord } from "../../../scripts/toolchain/record.cjs";
import { program, scratch, script } from "./fixture.ts";

const root = join(__dirname, "../../..");

/** A checkout whose npm and Node are stand-ins that write down how they were called. */
function checkout(): string {
	const copy = scratch();
	for (const part of ["scripts/bootstrap.mjs", "scripts/toolchain", "tools"]) {
		cpSync(join(root, part), join(copy, part), { recursive: true });
	}
	writeFileSync(join(copy, "package.json"), JSON.stringify({ dependencies: { thing: "1.0.0" } }));
	writeLock(copy, "sha512-one");
	fakeNpm(copy, "v24.9.0");
	return copy;
}

const packages = (integrity: string) => ({ "": {}, "node_modules/thing": { integrity } });

function writeLock(copy: string, integrity: string): void {
	writeFileSync(join(copy, "package-lock.json"), JSON.stringify({ packages: packages(integrity) }));
}

function fakeNode(copy: string, version: string): void {
	const body = `if [ "$1" = --version ]; then echo ${version}; exit; fi\necho "$@" >> ${copy}/node-calls`;
	script(join(copy, "node_modules/.bin/node"), body);
	mkdirSync(join(copy, "node_modules/thing"), { recursive: true });
	writeFileSync(join(copy, "node_modules/thing/package.json"), "{}");
}

function fakeNpm(copy: string, version: string): void {
	const node = `if [ "$1" = --version ]; then echo ${version}; exit; fi\necho "$@" >> ${copy}/node-calls\n`;
	const file = JSON.stringify(join(copy, "node_modules"));
	writeFileSync(
		join(copy, "npm-cli.cjs"),
		`const fs = require("node:fs");
fs.appendFileSync(${JSON.stringify(join(copy, "npm-calls"))}, process.argv.slice(2).join(" ") + "\\n");
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
fs.rmSync(${file}, { recursive: true, force: true });
fs.mkdirSync(${file} + "/.bin", { recursive: true });
fs.mkdirSync(${file} + "/thing");
fs.writeFileSync(${file} + "/thing/package.json", "{}");
fs.writeFileSync(${file} + "/.bin/node", ${JSON.stringify(`#!/bin/sh\n${node}`)}, { mode: 0o755 });
`,
	);
}

async function bootstrap(copy: string, env: NodeJS.ProcessEnv = {}): Promise<{ code: number; said: string }> {
	const own = { ...process.env, npm_execpath: join(copy, "npm-cli.cjs"), HOLDFAST_HOME: "", ...env };
	const child = spawn(process.execPath, [join(copy, "scripts/bootstrap.mjs")], { cwd: "/", env: own });
	let said = "";
	child.stdout.on("data", (chunk) => {
		said += `standard output: ${chunk}`;
	});
	child.stderr.on("data", (chunk) => {
		said += chunk;
	});
	const [code] = await once(child, "close");
	return { code, said };
}

const calls = (copy: string, of: "npm" | "node") => {
	const file = join(copy, `${of}-calls`);
	return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
};

test("a fresh checkout: npm ci without scripts, then the tools under the installed Node", async () => {
	const copy = checkout();
	const { code, said } = await bootstrap(copy);
	expect([code, said]).toEqual([0, expect.stringMatching(/^holdfast: installing npm packages.*done/s)]);
	expect(calls(copy, "npm")).toEqual([expect.stringMatching(/^ci --ignore-scripts --prefer-offline/)]);
	expect(calls(copy, "node")).toEqual([`${join(copy, "scripts/tools.ts")} ensure`]);
});

test("with everything in place it is silent and starts nothing", async () => {
	const copy = checkout();
	await bootstrap(copy);
	const path = program(join(copy, "mongod"), "");
	const tools = { mongod: { path, version: "6.0.5", source: "PATH", builds: [] } };
	writeRecord(join(copy, ".holdfast"), { lock: lockOf(copy), tools });
	expect(await bootstrap(copy)).toEqual({ code: 0, said: "" });
	expect([calls(copy, "npm").length, calls(copy, "node").length]).toEqual([1, 1]);
	rmSync(path);
	await bootstrap(copy);
	expect([calls(copy, "npm").length, calls(copy, "node").length]).toEqual([1, 2]);
});

test("another lock file, a missing package and a missing Node each install again", async () => {
	const copy = checkout();
	await bootstrap(copy);
	writeLock(copy, "sha512-two");
	await bootstrap(copy);
	expect(calls(copy, "npm")).toHaveLength(2);
	rmSync(join(copy, "node_modules/thing"), { recursive: true });
	await bootstrap(copy);
	expect(calls(copy, "npm")).toHaveLength(3);
	rmSync(join(copy, "node_modules/.bin/node"));
	await bootstrap(copy);
	expect(calls(copy, "npm")).toHaveLength(4);
});

test("packages installed by hand are used if they are those of the lock file", async () => {
	const copy = checkout();
	fakeNode(copy, "v24.9.0");
	const hidden = join(copy, "node_modules/.package-lock.json");
	writeFileSync(hidden, JSON.stringify({ packages: { "node_modules/thing": { integrity: "sha512-one" } } }));
	await bootstrap(copy);
	expect(calls(copy, "npm")).toHaveLength(0);
	const other = checkout();
	fakeNode(other, "v24.9.0");
	cpSync(hidden, join(other, "node_modules/.package-lock.json"));
	writeLock(other, "sha512-two");
	await bootstrap(other);
	expect(calls(other, "npm")).toHaveLength(1);
});

test("two at once install once", async () => {
	const copy = checkout();
	const results = await Promise.all([bootstrap(copy), bootstrap(copy)]);
	expect(results.map(({ code }) => code)).toEqual([0, 0]);
	expect(results.map(({ said }) => said).join("")).toMatch(/waiting for process \d+, which installs npm packages here/);
	expect(calls(copy, "npm")).toHaveLength(1);
});

test("a failing npm ci is named with its reason and its log, without a stack, and is tried again", async () => {
	const copy = checkout();
	writeFileSync(join(copy, "npm-cli.cjs"), `console.error("npm error 404 thing"); process.exit(1);`);
	const { code, said } = await bootstrap(copy);
	expect(code).toBe(1);
	expect(said).toMatch(/npm ci failed: .*npm error 404 thing \(log: .*npm\.log\).*Next: /);
	expect(said).not.toMatch(/^\s+at /m);
	fakeNpm(copy, "v24.9.0");
	expect((await bootstrap(copy)).code).toBe(0);
});

test("no npm at all is said with what to install", async () => {
	const copy = checkout();
	const { code, said } = await bootstrap(copy, { npm_execpath: "", PATH: join(copy, "nothing") });
	expect([code, said]).toEqual([1, expect.stringMatching(/npm is not on PATH\. Next: install it/)]);
});

test("an installed Node that is too old or does not run is refused", async () => {
	const copy = checkout();
	fakeNpm(copy, "v22.1.0");
	const { code, said } = await bootstrap(copy);
	expect([code, said]).toEqual([1, expect.stringMatching(/does not run as Node 24 on this system \(v22\.1\.0/)]);
	expect(said).not.toMatch(/^\s+at /m);
});
