import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { processFiles } from "../../../runtime/platform/layout.ts";
import { born, isAlive } from "../../../runtime/platform/proc.ts";
import { stagedHash } from "../../../runtime/platform/staging.ts";
import { forgetStarts, readAlive, readStarted, readStarts, recordStarted } from "../../../runtime/platform/started.ts";
import { supervisorFiles } from "../../../runtime/platform/supervisorConfig.ts";
import { hearsTerm } from "../../support/hearsTerm.ts";
import { until } from "../../support/until.ts";

let root = "";
let folder = "";
const children: ChildProcess[] = [];

beforeEach(async () => {
	root = await mkdtemp(join(tmpdir(), "holdfast-hold-"));
	folder = join(root, "a member's folder");
	for (const name of ["conf/deep", "log", "run"]) await mkdir(join(folder, name), { recursive: true });
	await writeFile(join(root, "hold"), supervisorFiles.hold!);
	await writeFile(join(folder, "conf/deep/settings"), "one");
});

afterEach(async () => {
	for (const child of children.splice(0)) child.kill("SIGKILL");
	await rm(root, { recursive: true, force: true });
});

const launch = (...args: string[]) => writeFile(processFiles.launch(folder, "p"), `${args.join("\n")}\n`);

/** hold as supervisord runs it, with delays of 1 and at most 2 s and 60 s of calm. */
function hold(): ChildProcess {
	const child = spawn("/bin/sh", ["hold", folder, "p", "1", "2", "60"], { cwd: root, stdio: "ignore" });
	children.push(child);
	return child;
}

async function run(): Promise<{ seconds: number; code: number | null }> {
	const begin = Date.now();
	const [code] = await once(hold(), "exit");
	return { seconds: (Date.now() - begin) / 1000, code };
}

const LIMIT_MS = 30_000;
/** Seconds that a start may be late here: below the pause that one doubling more would make. */
const LATE = 1.9;

const exists = (path: string) =>
	stat(path).then(
		() => true,
		() => false,
	);

test("becomes the program: same pid, arguments as they stand, on record with the hash of what it read", async () => {
	await launch(
		"/bin/sh",
		"-c",
		'printf "%s|" "$@" >out; ulimit -S -n >>out; exec sleep 60',
		"sh",
		"a  b",
		"",
		"$HOME 'x'",
	);
	const child = hold();
	await until("its output", LIMIT_MS, () => exists(join(folder, "out")));
	const record = (await readStarted(folder, "p"))!;
	expect(record.pid).toBe(child.pid);
	expect(await isAlive(record)).toBe(true);
	expect(record.staged).toBe(await stagedHash(folder));
	await until("its output", LIMIT_MS, async () => (await readFile(join(folder, "out"), "utf8")).endsWith("\n"));
	expect(await readFile(join(folder, "out"), "utf8")).toMatch(/^a {2}b\|\|\$HOME 'x'\|\d{4,}\n$/);
	await writeFile(join(folder, "conf/deep/settings"), "two");
	expect(record.staged).not.toBe(await stagedHash(folder));
});

test("waits longer before each start, up to the cap, and not after a calm one", async () => {
	await launch("/bin/sh", "-c", "echo no; exit 48");
	const runs = [await run(), await run(), await run(), await run()];
	expect(runs.map(({ code }) => code)).toEqual([48, 48, 48, 48]);
	for (const [index, least] of [0, 1, 2, 2].entries()) {
		expect(runs[index]!.seconds).toBeGreaterThanOrEqual(least);
		expect(runs[index]!.seconds).toBeLessThan(least + LATE);
	}
	expect(await readFile(processFiles.out(folder, "p"), "utf8")).toBe("no\nno\nno\nno\n");
	expect(await readStarts(folder, "p")).toEqual({ starts: 4 });

	const { pid, born: ticks, boot, since, staged } = (await readStarted(folder, "p"))!;
	await writeFile(processFiles.started(folder, "p"), `${[pid, ticks, boot, since - 60, staged].join("\n")}\n`);
	expect((await run()).seconds).toBeLessThan(LATE);
	expect(await readStarts(folder, "p")).toEqual({ starts: 1 });
});

test("starts at once when it is asked to, and ends when it is told to", async () => {
	await launch("/bin/sh", "-c", "exit 48");
	await writeFile(processFiles.starts(folder, "p"), "9\n");
	await writeFile(processFiles.started(folder, "p"), await recentRecord());
	const waiting = hold();
	await until("a pause", LIMIT_MS, async () => (await readStarts(folder, "p")).due !== undefined);
	await forgetStarts(folder, "p");
	expect(await once(waiting, "exit")).toEqual([48, null]);
	expect(await readStarts(folder, "p")).toEqual({ starts: 1 });

	await writeFile(processFiles.starts(folder, "p"), "9\n");
	const stopped = hold();
	await until("a pause", LIMIT_MS, async () => (await readStarts(folder, "p")).due !== undefined);
	stopped.kill("SIGTERM");
	expect(await once(stopped, "exit")).toEqual([0, null]);
});

/** Of a process that is gone, started just now. */
async function recentRecord(): Promise<string> {
	await recordStarted(folder, "p", process.pid, "x");
	return (await readFile(processFiles.started(folder, "p"), "utf8")).replace(/^\d+/, "999999999");
}

test("stands in for a process that outlived its supervisord, and passes the signal on", async () => {
	await launch("/bin/sh", "-c", "touch second; exec sleep 60");
	const orphan = spawn("sleep", ["60"]);
	children.push(orphan);
	await recordStarted(folder, "p", orphan.pid!, "x");
	const child = hold();
	await sleep(1500);
	expect(child.exitCode).toBeNull();
	expect((await readAlive(folder, "p"))?.pid).toBe(orphan.pid);
	child.kill("SIGTERM");
	expect(await once(child, "exit")).toEqual([0, null]);
	expect(orphan.signalCode).toBe("SIGTERM");
	expect(await exists(join(folder, "second"))).toBe(false);
});

test("passes a signal on that came before it knew for whom it stands in", async () => {
	await launch("/bin/sh", "-c", "exec sleep 60");
	const orphan = spawn("sleep", ["60"]);
	children.push(orphan);
	await recordStarted(folder, "p", orphan.pid!, "x");
	await rename(folder, `${folder}.away`);
	const child = hold();
	await hearsTerm(child);
	child.kill("SIGTERM");
	await rename(`${folder}.away`, folder);
	expect(await once(child, "exit")).toEqual([0, null]);
	expect(orphan.signalCode ?? (await once(orphan, "exit"))[1]).toBe("SIGTERM");
});

test("starts the program once the process it stood in for has ended", async () => {
	await launch("/bin/sh", "-c", "exit 48");
	const orphan = spawn("sleep", ["60"]);
	await recordStarted(folder, "p", orphan.pid!, "x");
	const child = hold();
	await sleep(500);
	orphan.kill("SIGKILL");
	expect(await once(child, "exit")).toEqual([48, null]);
});

test("a process that only has the pid of the recorded one is not taken for it", async () => {
	await launch("/bin/sh", "-c", "exit 48");
	await recordStarted(folder, "p", process.pid, "x");
	const text = await readFile(processFiles.started(folder, "p"), "utf8");
	await writeFile(processFiles.started(folder, "p"), text.replace(/\n\d+\n/, "\n1\n"));
	expect(await run()).toMatchObject({ code: 48 });
});

test("starts nothing that it cannot put on record, and goes on trying", async () => {
	await launch("/bin/sh", "-c", "exit 48");
	await rm(join(folder, "run"), { recursive: true });
	const child = hold();
	await sleep(1800);
	expect(child.exitCode).toBeNull();
	expect(await exists(processFiles.out(folder, "p"))).toBe(false);
	await mkdir(join(folder, "run"));
	expect(await once(child, "exit")).toEqual([48, null]);
});

test("ends with its supervisord, without a start", async () => {
	await launch("/bin/sh", "-c", "touch started; exec sleep 60");
	await writeFile(processFiles.starts(folder, "p"), "9\n");
	await writeFile(processFiles.started(folder, "p"), await recentRecord());
	const script = 'sh hold "$1" p 1 60 600 & echo $! >pid; wait';
	const parent = spawn("/bin/sh", ["-c", script, "sh", folder], { cwd: root, stdio: "ignore" });
	children.push(parent);
	await until("a pause", LIMIT_MS, async () => (await readStarts(folder, "p")).due !== undefined);
	const pid = Number(await readFile(join(root, "pid"), "utf8"));
	expect(await born(pid)).toBeDefined();
	parent.kill("SIGKILL");
	await until("its end", LIMIT_MS, async () => (await born(pid)) === undefined);
	expect(await exists(join(folder, "started"))).toBe(false);
});

test("a log that has grown is moved away and its process told, unless it is young", async () => {
	await writeFile(join(root, "rotate"), supervisorFiles.rotate!);
	await mkdir(join(root, "folders"));
	await mkdir(join(root, "folders/m-0/log"), { recursive: true });
	await mkdir(join(root, "folders/m-0/run"));
	const member = join(root, "folders/m-0");
	const program = "trap 'touch told' USR1; touch ready; while true; do sleep 0.1; done";
	const told = spawn("/bin/sh", ["-c", program], { cwd: member });
	children.push(told);
	await until("it to be ready", LIMIT_MS, () => exists(join(member, "ready")));
	await recordStarted(member, "p", told.pid!, "x");
	await writeFile(processFiles.rotate(member, "p"), "USR1\n");
	await writeFile(processFiles.log(member, "p"), "x".repeat(200));
	children.push(spawn("/bin/sh", ["rotate", "1", "100", "2"], { cwd: root, stdio: "ignore" }));
	await sleep(1500);
	expect(await readdir(join(member, "log"))).toEqual(["p.log"]);

	const text = await readFile(processFiles.started(member, "p"), "utf8");
	await writeFile(
		processFiles.started(member, "p"),
		text.replace(/\n(\d+)\nx/, (_, since) => `\n${Number(since) - 100}\nx`),
	);
	await until("the news", LIMIT_MS, () => exists(join(member, "told")));
	for (const mark of ["second", "third", "fourth"]) {
		await writeFile(processFiles.log(member, "p"), mark.padEnd(200));
		await until("the log to be moved", LIMIT_MS, async () => !(await exists(processFiles.log(member, "p"))));
	}
	expect((await readdir(join(member, "log"))).sort()).toEqual(["p.log.1", "p.log.2"]);
	expect(await readFile(`${processFiles.log(member, "p")}.1`, "utf8")).toMatch(/^fourth/);
});

test("only what belongs to the process itself, or to no process, counts for a pending restart", async () => {
	await launch("/bin/sh", "-c", "exec sleep 60");
	for (const [name, text] of [
		["other.launch", "x"],
		["other.held", ""],
		["other/settings", "1"],
		["others/settings", "1"],
		["other.conf", "1"],
	] as const) {
		await mkdir(join(folder, "conf", name, ".."), { recursive: true });
		await writeFile(join(folder, "conf", name), text);
	}
	hold();
	await until("its start", LIMIT_MS, async () => (await readStarted(folder, "p")) !== undefined);
	const { staged } = (await readStarted(folder, "p"))!;
	expect(staged).toBe(await stagedHash(folder, "p"));
	expect(staged).not.toBe(await stagedHash(folder));
	await writeFile(join(folder, "conf/other/settings"), "2");
	await writeFile(join(folder, "conf/other.launch"), "y");
	expect(staged).toBe(await stagedHash(folder, "p"));
	await writeFile(join(folder, "conf/others/settings"), "2");
	expect(staged).not.toBe(await stagedHash(folder, "p"));
});

describe("a process that its cluster lets start", () => {
	const started = async () => (await readStarted(folder, "p"))?.pid !== undefined;
	const release = (text = "") => writeFile(processFiles.released(folder, "p"), text);
	const hasRun = () => exists(join(folder, "ran"));

	test("waits for its leave, which is good for all later starts", async () => {
		await launch("/bin/sh", "-c", "echo >>ran");
		await writeFile(processFiles.held(folder, "p"), "\n");
		const child = hold();
		await sleep(1500);
		expect(await started()).toBe(false);
		await release();
		await once(child, "exit");
		await run();
		expect(await readFile(join(folder, "ran"), "utf8")).toBe("\n\n");
	});

	test("without proof of an earlier start a leave is good for one, with the arguments it names", async () => {
		await launch("/bin/sh", "-c", "echo own >ran");
		await writeFile(processFiles.held(folder, "p"), "data/proof\n");
		await release("/bin/sh\n-c\necho given >ran\n");
		await run();
		expect(await readFile(join(folder, "ran"), "utf8")).toBe("given\n");
		await rm(join(folder, "ran"));
		const waiting = hold();
		await sleep(2500);
		expect([await hasRun(), waiting.exitCode]).toEqual([false, null]);
		waiting.kill("SIGTERM");
		expect((await once(waiting, "exit"))[0]).toBe(0);
		expect(await hasRun()).toBe(false);
	});

	test("a leave means now, however often it has started before", async () => {
		await launch("/bin/sh", "-c", "echo >>ran; exit 1");
		for (let starts = 0; starts < 3; starts++) await run();
		expect(await readStarts(folder, "p")).toEqual({ starts: 3 });
		await writeFile(processFiles.held(folder, "p"), "\n");
		const child = hold();
		await sleep(500);
		await release();
		await once(child, "exit");
		// The first of a new count, so it did not wait.
		expect(await readStarts(folder, "p")).toEqual({ starts: 1 });
	});

	test("with the proof it starts by itself, and a leave that was left over is void", async () => {
		await launch("/bin/sh", "-c", "echo own >ran");
		await writeFile(processFiles.held(folder, "p"), "data/proof\n");
		await mkdir(join(folder, "data/proof"), { recursive: true });
		await release("/bin/sh\n-c\necho given >ran\n");
		await run();
		expect(await readFile(join(folder, "ran"), "utf8")).toBe("own\n");
		expect(await exists(processFiles.released(folder, "p"))).toBe(false);
	});
});
