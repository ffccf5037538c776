import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { home } from "../../runtime/home.ts";
import { findDaemon } from "../../runtime/platform/daemon.ts";
import { hostKind } from "../../runtime/platform/hostKind.ts";
import { layout, wantedFolder } from "../../runtime/platform/layout.ts";
import { memberKind } from "../../runtime/platform/memberKind.ts";
import type { MemberInputs, ProcessSpec } from "../../runtime/platform/model.ts";
import { openHost } from "../../runtime/platform/open.ts";
import { born, usersOf } from "../../runtime/platform/proc.ts";
import { long } from "../support/long.ts";

const STACK = "several";
const ROUNDS = long ? 60 : 5;
const host = openHost({ kind: "local", stack: STACK });
const tools = join(home(), "tools.json");
let root = "";
let hostId = "";

jest.setTimeout(long ? 600_000 : 120_000);

beforeAll(async () => {
	root = await mkdtemp(join(tmpdir(), "holdfast-"));
	process.env.HOLDFAST_HOME = join(root, "home");
	await mkdir(home(), { recursive: true });
	await copyFile(tools, join(home(), "tools.json"));
	hostId = (await hostKind.ensure({ stack: STACK, run: "running", adopt: false })).hostId;
});

afterAll(async () => {
	const daemon = await findDaemon(STACK);
	for (const pid of [...(daemon ? [daemon] : []), ...(await usersOf(root))]) {
		if (pid !== process.pid) process.kill(pid, "SIGKILL");
	}
	await rm(root, { recursive: true, force: true });
});

/** A process that notes its end in log/ends. */
const noting = (name: string, held?: ProcessSpec["held"]): ProcessSpec => ({
	name,
	program: "guard",
	args: ["-c", 'trap "echo $0 >>log/ends; exit" TERM; echo $0 >>log/begins; while :; do sleep 0.1; done', name],
	...(held ? { held } : {}),
});

const member = (change: Partial<MemberInputs> = {}): MemberInputs => ({
	stack: STACK,
	hostId,
	cluster: "m",
	name: "m-0",
	slot: 0,
	address: { host: "127.0.1.1", port: 1 },
	processes: [noting("first", { evidence: "data/first" }), noting("second"), noting("third", {})],
	files: { "conf/first/settings": "1", "live/settings": "1" },
	birthFiles: {},
	run: "running",
	adopt: false,
	...change,
});

const folder = () => wantedFolder(member());
const lines = async (file: string) =>
	(await readFile(join(folder(), "log", file), "utf8").catch(() => "")).split("\n").filter(Boolean);
const states = async () => {
	const { state, processes } = await host.status("m-0");
	return [state, ...processes.map((process) => process.state)];
};
const pid = async (name: string) => (await host.status("m-0")).processes.find((one) => one.name === name)?.pid;

test("a member starts what is not held, and what is held starts when it is released", async () => {
	await memberKind.ensure(member());
	expect(await states()).toEqual(["running", "held", "running", "held"]);
	await host.start("m-0");
	expect(await states()).toEqual(["running", "held", "running", "held"]);
	await host.release("m-0", "third");
	expect(await states()).toEqual(["running", "held", "running", "running"]);
	await host.release("m-0", "first", ["-c", "echo given >>log/begins; mkdir -p data/first; exec sleep 1000"]);
	expect(await states()).toEqual(["running", "running", "running", "running"]);
	expect(await lines("begins")).toEqual(["second", "third", "given"]);
});

test("one process is restarted with what is staged for it; the others are left alone", async () => {
	const before = [await pid("second"), await pid("third")];
	const changed = member({ files: { "conf/first/settings": "2", "live/settings": "2" } });
	await memberKind.ensure(changed, { ...member(), staged: "" });
	const { pendingRestart, processes } = await host.status("m-0");
	expect([pendingRestart, ...processes.map((process) => process.pendingRestart)]).toEqual([true, true, false, false]);
	await host.restart("m-0", "first");
	expect((await host.status("m-0")).pendingRestart).toBe(false);
	// With the proof of its earlier start it ran by its own arguments this time.
	expect(await lines("begins")).toEqual(["second", "third", "given", "first"]);
	expect([await pid("second"), await pid("third")]).toEqual(before);
});

test("processes stop the last first, and what has to give way is renamed, the newest kept", async () => {
	await expect(host.setAside("m-0", "../elsewhere")).rejects.toThrow("HF_INTERNAL");
	expect(await host.setAside("m-0", "data/absent")).toBeUndefined();
	await host.stop("m-0", "third");
	expect(await states()).toEqual(["stopped", "running", "running", "stopped"]);
	await host.start("m-0");
	await host.stop("m-0");
	expect(await lines("ends")).toEqual(["third", "third", "second", "first"]);
	await writeFile(join(folder(), "data/first/content"), "kept");
	const aside = await host.setAside("m-0", "data/first");
	expect(aside).toMatch(/^data\/first\.aside-\d{8}T\d{6}Z$/);
	expect(await readFile(join(folder(), aside!, "content"), "utf8")).toBe("kept");
	expect(await host.exists("m-0", "data/first")).toBe(false);
	await host.start("m-0");
	expect(await states()).toEqual(["running", "held", "running", "running"]);
	await mkdir(join(folder(), "data/first.aside-20200101T000000Z"));
	await mkdir(join(folder(), "data/first"));
	await sleep(1100);
	await host.stop("m-0", "first");
	await host.setAside("m-0", "data/first");
	expect((await readdir(join(folder(), "data"))).length).toBe(1);
});

test("what is stopped in the moment in which it ends and would start again stays down, without being killed", async () => {
	await host.start("m-0");
	for (let round = 0; round < ROUNDS; round++) {
		process.kill((await pid("second"))!, "SIGKILL");
		await sleep(round % 10);
		await host.stop("m-0", "second");
		expect([round, (await states())[2]]).toEqual([round, "stopped"]);
		await host.start("m-0", "second");
	}
	const log = await readFile(join(layout.supervisor(STACK), "supervisord.log"), "utf8");
	expect(log).not.toContain("with SIGKILL");
	expect(log).toContain("exited: m-0.second (terminated by SIGKILL; not expected)");
});

test("removal ends them all", async () => {
	const pids = [await pid("second"), await pid("third")];
	await memberKind.remove("", { ...member(), staged: "" });
	expect(await Promise.all(pids.map((one) => born(one!)))).toEqual([undefined, undefined]);
});
