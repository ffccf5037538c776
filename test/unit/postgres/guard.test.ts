import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { processFiles } from "../../../runtime/platform/layout.ts";
import { recordStarted } from "../../../runtime/platform/started.ts";
import { guardScript } from "../../../runtime/postgres/guard.ts";
import { hearsTerm } from "../../support/hearsTerm.ts";
import { until } from "../../support/until.ts";

/** Seconds that Patroni may be gone. */
const PATIENCE = 2;
let root = "";
let folder = "";
let data = "";
const children: ChildProcess[] = [];

beforeEach(async () => {
	root = await mkdtemp(join(tmpdir(), "holdfast-guard-"));
	folder = join(root, "a member's folder");
	data = join(folder, "data/postgres");
	for (const path of ["log", "run", "data/postgres"]) await mkdir(join(folder, path), { recursive: true });
	await writeFile(join(root, "guard.sh"), guardScript);
	await writeFile(join(root, "postgres"), '#!/bin/sh\ntrap "$1" QUIT\ntouch ready\nwhile true; do sleep 0.1; done\n');
	await chmod(join(root, "postgres"), 0o755);
});

afterEach(async () => {
	for (const child of children.splice(0)) child.kill("SIGKILL");
	await rm(root, { recursive: true, force: true });
});

function run(command: string, args: string[], cwd = root): ChildProcess {
	const child = spawn(command, args, { cwd, stdio: "ignore" });
	children.push(child);
	return child;
}

const guard = (where = folder): ChildProcess => run("/bin/sh", [join(root, "guard.sh"), where, String(PATIENCE)]);

/** A process that is called postgres and does `onQuit` when it is told to stop at once. */
async function postmaster(onQuit = "exit 0", cwd = data): Promise<ChildProcess> {
	const child = run(join(root, "postgres"), [onQuit], cwd);
	await until("it to run", 60_000, () =>
		readFile(join(cwd, "ready")).then(
			() => true,
			() => false,
		),
	);
	await pidFile(String(child.pid));
	return child;
}

const pidFile = (pid: string) =>
	writeFile(join(data, "postmaster.pid"), `${pid}\n${data}\n${Math.floor(Date.now() / 1000)}\n5432\n`);

async function patroni(): Promise<ChildProcess> {
	const child = run("sleep", ["60"]);
	await recordStarted(folder, "patroni", child.pid!, "x");
	return child;
}

const ended = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;
const noted = () => readFile(join(folder, "log/guard.log"), "utf8").catch(() => "");

/** Tells a guard to end; the exit. */
async function stop(child: ChildProcess): Promise<unknown> {
	await hearsTerm(child);
	const exit = once(child, "exit");
	child.kill("SIGTERM");
	return exit;
}

/** It ends, and no sooner than a Patroni that was killed just now has been gone for long enough, by whole seconds. */
async function endsAfterPatience(server: ChildProcess): Promise<void> {
	const begin = Date.now();
	await until("its end", 60_000, () => ended(server));
	expect(Date.now() - begin).toBeGreaterThan((PATIENCE - 1) * 1000);
}

test("leaves PostgreSQL alone while Patroni lives, and stops it once Patroni is gone for too long", async () => {
	const [leader, server] = [await patroni(), await postmaster()];
	const child = guard();
	// Longer than a Patroni has to live to count.
	await sleep(7000);
	expect(ended(server)).toBe(false);
	leader.kill("SIGKILL");
	await endsAfterPatience(server);
	expect(server.exitCode).toBe(0);
	await until("a note", 60_000, async () => (await noted()).includes("is gone"));
	expect(await noted()).toMatch(
		new RegExp(`^\\d{4}-\\d\\d-\\d\\dT[\\d:]{8}Z stopping postmaster ${server.pid}: Patroni has been gone`),
	);
	expect(ended(child)).toBe(false);
});

test("a Patroni that comes back in time keeps its PostgreSQL, and starts the count anew once it has lived for 5 s", async () => {
	const [first, server] = [await patroni(), await postmaster()];
	guard();
	await sleep(500);
	first.kill("SIGKILL");
	await sleep((PATIENCE - 1) * 1000);
	const second = await patroni();
	await sleep(7000);
	second.kill("SIGKILL");
	await endsAfterPatience(server);
});

test("a Patroni that keeps dying does not hold it off", async () => {
	const server = await postmaster();
	guard();
	let deaths = 0;
	for (; deaths < 8 && !ended(server); deaths++) {
		const child = await patroni();
		await sleep(1100);
		child.kill("SIGKILL");
		await sleep(1100);
	}
	expect(ended(server)).toBe(true);
	expect(deaths).toBeLessThan(5);
});

test("told to end, it goes at once while Patroni lives", async () => {
	await patroni();
	const server = await postmaster();
	expect(await stop(guard())).toEqual([0, null]);
	expect(ended(server)).toBe(false);
	expect(await noted()).toBe("");
});

test("told to end while Patroni is gone, it stops PostgreSQL first and waits until it is gone", async () => {
	// Without a record of Patroni, too: a member that was never started cleanly.
	const server = await postmaster("sleep 2; exit 0");
	const begin = Date.now();
	expect(await stop(guard())).toEqual([0, null]);
	expect(Date.now() - begin).toBeGreaterThan(1500);
	expect(ended(server)).toBe(true);
	expect(await noted()).toContain("the member is stopped and Patroni is gone");
});

test("a frozen PostgreSQL is woken to obey, and one that does not obey is killed", async () => {
	const frozen = await postmaster();
	frozen.kill("SIGSTOP");
	expect(await stop(guard())).toEqual([0, null]);
	expect(frozen.exitCode).toBe(0);
	await rm(join(data, "ready"));
	const deaf = await postmaster("true");
	expect(await stop(guard())).toEqual([0, null]);
	expect(deaf.signalCode).toBe("SIGKILL");
	expect(await noted()).toContain("does not stop: killing it");
});

test("works through a link to the folder", async () => {
	await symlink(folder, join(root, "link"));
	const server = await postmaster();
	expect(await stop(guard(join(root, "link")))).toEqual([0, null]);
	expect(ended(server)).toBe(true);
});

test("a process that only has the pid of a postmaster is left alone", async () => {
	const other = run("sleep", ["60"], data);
	await pidFile(String(other.pid));
	expect(await stop(guard())).toEqual([0, null]);
	expect(ended(other)).toBe(false);

	const elsewhere = await postmaster("exit 0", root);
	expect(await stop(guard())).toEqual([0, null]);
	expect(ended(elsewhere)).toBe(false);

	const standalone = await postmaster();
	for (const text of [`-${standalone.pid}`, "", "no pid", "999999999"]) {
		await pidFile(text);
		expect(await stop(guard())).toEqual([0, null]);
	}
	expect(ended(standalone)).toBe(false);
	expect(await noted()).toBe("");
});

test.each([
	["another process has Patroni's pid", (text: string) => text.replace(/\n\d+\n/, "\n1\n")],
	["Patroni was started before the machine was", (text: string) => text.replace(/\n[0-9a-f-]{36}\n/, "\nx\n")],
])("Patroni is gone when %s", async (_, change) => {
	await patroni();
	const record = processFiles.started(folder, "patroni");
	await writeFile(record, change(await readFile(record, "utf8")));
	const server = await postmaster();
	expect(await stop(guard())).toEqual([0, null]);
	expect(ended(server)).toBe(true);
});

test("waits for its folder, and ends when it is told to meanwhile", async () => {
	const child = guard(join(root, "not there"));
	await sleep(1500);
	expect(ended(child)).toBe(false);
	expect(await stop(child)).toEqual([0, null]);
});
