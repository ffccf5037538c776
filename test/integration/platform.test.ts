import { execFile, execFileSync } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, open, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { home, stackFolder } from "../../runtime/home.ts";
import { openFiles } from "../../runtime/platform/contract.ts";
import { findDaemon } from "../../runtime/platform/daemon.ts";
import type { MemberStatus } from "../../runtime/platform/host.ts";
import { hostKind } from "../../runtime/platform/hostKind.ts";
import { wantedFolder } from "../../runtime/platform/layout.ts";
import { memberKind } from "../../runtime/platform/memberKind.ts";
import type { HostInputs, MemberInputs } from "../../runtime/platform/model.ts";
import { openHost } from "../../runtime/platform/open.ts";
import { born, usersOf } from "../../runtime/platform/proc.ts";
import { stagedHash } from "../../runtime/platform/staging.ts";
import { freePort } from "../support/freePort.ts";

const STACK = "s1";
const CONF = "conf/mongod.conf";
const CANARY = "canary-d1f0";
const hostInputs: HostInputs = { stack: STACK, run: "running", adopt: false };
const host = openHost({ kind: "local", stack: STACK });
const tools = join(home(), "tools.json");

let root = "";
let hostId = "";
let ports: number[] = [];

beforeAll(async () => {
	root = await mkdtemp(join(tmpdir(), "holdfast-"));
	// Longer than a Unix socket's name may be, and everything that shells, globs and INI files treat specially.
	process.env.HOLDFAST_HOME = join(root, `a long path's [x] 100%(here)s #1 ;$HOME ${"deep/".repeat(30)}home`);
	process.env.PULUMI_CONFIG_PASSPHRASE = CANARY;
	await mkdir(home(), { recursive: true });
	await copyFile(tools, join(home(), "tools.json"));
	ports = await Promise.all(Array.from({ length: 4 }, freePort));
	hostId = (await hostKind.ensure(hostInputs)).hostId;
});

afterAll(async () => {
	for (const stack of [STACK, "s2"]) {
		const daemon = await findDaemon(stack);
		if (daemon) kill(daemon);
	}
	for (const pid of await usersOf(root)) if (pid !== process.pid) kill(pid);
	await rm(root, { recursive: true, force: true });
});

function kill(pid: number): void {
	try {
		process.kill(pid, "SIGKILL");
	} catch {
		// It ended while we looked.
	}
}

function config(slot: number, extra: object = {}): string {
	return JSON.stringify({
		storage: { dbPath: "{{folder}}/data", wiredTiger: { engineConfig: { cacheSizeGB: 0.25 } } },
		systemLog: { destination: "file", path: "{{folder}}/log/mongod.log", logAppend: true, logRotate: "reopen" },
		net: { port: ports[slot], bindIp: "127.0.0.1", unixDomainSocket: { enabled: false } },
		setParameter: { shutdownTimeoutMillisForSignaledShutdown: 1000, ...extra },
	});
}

function member(slot: number, change: Partial<MemberInputs> = {}): MemberInputs {
	const port = ports[slot]!;
	const args = ["--config", "{{folder}}/conf/mongod.conf"];
	return {
		stack: STACK,
		hostId,
		cluster: "c",
		name: `c-${slot}`,
		slot,
		address: { host: "127.0.0.1", port },
		processes: [{ name: "mongod", program: "mongod", args, port }],
		files: { [CONF]: config(slot) },
		birthFiles: { "conf/keyfile": "secret\n" },
		run: "running",
		adopt: false,
		...change,
	};
}

const state = async (inputs: MemberInputs) => ({ ...inputs, staged: (await stagedHash(wantedFolder(inputs))) ?? "" });
const pidOf = (status: MemberStatus): number => status.processes[0]!.pid!;
const pids = async (): Promise<number[]> =>
	(await Promise.all(["c-0", "c-1"].map((name) => host.status(name)))).map(pidOf);

async function until(what: string, seconds: number, test: () => Promise<boolean>): Promise<void> {
	const end = Date.now() + seconds * 1000;
	while (!(await test())) {
		if (Date.now() > end) throw new Error(`still waiting for: ${what}; ${JSON.stringify(await host.status("c-0"))}`);
		await sleep(50);
	}
}

const listen = (port: number): Promise<Server> =>
	new Promise((resolve, reject) => {
		const server = createServer();
		server.once("error", reject).listen(port, "127.0.0.1", () => resolve(server));
	});
const close = (server: Server) => new Promise((resolve) => server.close(resolve));
const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

test("members start side by side, private, and are found by another process", async () => {
	await Promise.all([memberKind.ensure(member(0)), memberKind.ensure(member(1))]);
	const found = await Promise.all(["c-0", "c-1"].map((name) => host.status(name)));
	expect(found.map(({ state }) => state)).toEqual(["running", "running"]);
	expect(found[0]!.pendingRestart).toBe(false);

	const folder = wantedFolder(member(0));
	expect(await mode(folder)).toBe("700");
	for (const file of ["owner.json", CONF, "conf/keyfile", "log/mongod.log"])
		expect(await mode(join(folder, file))).toBe("600");
	const own = await readFile(`/proc/${pidOf(found[0]!)}/environ`, "utf8");
	expect(own).not.toContain(CANARY);
	expect(await readFile(`/proc/${await findDaemon(STACK)}/environ`, "utf8")).not.toContain(CANARY);
	const [, soft, hard] = /Max open files\s+(\d+)\s+(\d+)/.exec(
		await readFile(`/proc/${pidOf(found[0]!)}/limits`, "utf8"),
	)!;
	expect(Number(soft)).toBe(Math.min(openFiles, Number(hard)));

	const script = `import { openHost } from ${JSON.stringify(join(__dirname, "../../runtime/platform/open.ts"))};
		console.log(JSON.stringify(await openHost({ kind: "local", stack: "${STACK}" }).status("c-0")));`;
	const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], {
		cwd: "/",
		env: process.env,
	});
	expect(JSON.parse(stdout)).toEqual(await host.status("c-0"));
});

test("a killed member is started again, the other is not touched", async () => {
	const [first, second] = await pids();
	process.kill(first!, "SIGKILL");
	await until("the end", 60, async () => (await born(first!)) === undefined);
	await until("another start", 60, async () => (await host.status("c-0")).state === "running");
	const after = await host.status("c-0");
	expect(pidOf(after)).not.toBe(first);
	expect(after.processes[0]!.failures).toBe(1);
	expect(pidOf(await host.status("c-1"))).toBe(second);
});

test("a change is staged, never applied by an update, and applied by a restart", async () => {
	const before = await pids();
	const changed = member(1, { files: { [CONF]: config(1, { diagnosticDataCollectionEnabled: false }) } });
	await memberKind.ensure(changed, await state(member(1)));
	const pending = await host.status("c-1");
	expect(pidOf(pending)).toBe(before[1]);
	expect(pending.pendingRestart).toBe(true);
	await host.restart("c-1");
	const after = await host.status("c-1");
	expect(after.pendingRestart).toBe(false);
	expect(pidOf(after)).not.toBe(before[1]);
	expect(pidOf(await host.status("c-0"))).toBe(before[0]);
});

test("a stopped member has ended cleanly, shows as drift, and an update starts it", async () => {
	await host.stop("c-1");
	expect(await readFile(join(wantedFolder(member(1)), "data/mongod.lock"), "utf8")).toBe("");
	expect((await memberKind.observe("", await state(member(1))))?.inputs?.run).toBe("stopped");
	await memberKind.ensure(member(1), await state(member(1)));
	expect((await memberKind.observe("", await state(member(1))))?.inputs?.run).toBe("running");
	expect(await readFile(join(wantedFolder(member(1)), "log/mongod.log"), "utf8")).not.toContain("unclean shutdown");
});

test("a busy port is named, and heals by itself once it is free", async () => {
	await host.stop("c-0");
	const squatter = await listen(ports[0]!);
	const started = host.start("c-0");
	let detail = "";
	await until("two failed starts", 60, async () => {
		const [found] = (await host.status("c-0")).processes;
		detail = found!.detail ?? "";
		return found!.state === "backing-off" && found!.failures >= 2 && detail.includes("next start");
	});
	expect(detail).toContain("exit status 48: the port is in use");
	expect(detail).toContain(`port ${ports[0]} is in use by process ${process.pid}`);
	expect(detail).toMatch(/next start in \d+ s/);
	await close(squatter);
	await started;
	expect((await host.status("c-0")).state).toBe("running");
});

test("a configuration that does not parse is fatal, with the reason, and starts once it is corrected", async () => {
	const good = await host.read("c-0", CONF);
	await host.write("c-0", CONF, "net: [broken\n  port: x");
	await expect(host.restart("c-0")).rejects.toThrow(/is fatal .*exit status 2: the configuration is wrong.*yaml/i);
	await sleep(2500);
	expect(await host.status("c-0")).toMatchObject({ state: "fatal", processes: [{ failures: 1 }] });
	const seen = await memberKind.observe("", await state(member(0)));
	expect(seen?.inputs).toMatchObject({ run: "fatal", files: { [CONF]: "net: [broken\n  port: x" } });
	await host.write("c-0", CONF, good!);
	await host.start("c-0");
	expect(await host.read("c-0", CONF)).toBe(config(0));
});

test("members outlive a killed supervisord, and the next one stands in for them", async () => {
	const before = await pids();
	const daemon = (await findDaemon(STACK))!;
	process.kill(daemon, "SIGKILL");
	await until("the end of supervisord", 60, async () => (await born(daemon)) === undefined);
	expect((await hostKind.observe("", { ...hostInputs, hostId }))?.inputs?.run).toBe("stopped");
	await hostKind.ensure(hostInputs, { ...hostInputs, run: "stopped", hostId });
	await sleep(2000);
	expect(await pids()).toEqual(before);
	expect(await findDaemon(STACK)).not.toBe(daemon);

	process.kill(before[1]!, "SIGKILL");
	await until("the end", 60, async () => (await born(before[1]!)) === undefined);
	await until("another start", 60, async () => (await host.status("c-1")).state === "running");
	expect(pidOf(await host.status("c-0"))).toBe(before[0]);
});

test("what is not ours is refused before anything is changed", async () => {
	const foreign = member(2);
	const folder = wantedFolder(foreign);
	await mkdir(join(folder, "data"), { recursive: true });
	await expect(memberKind.ensure(foreign)).rejects.toThrow(/HF_FOREIGN.*no record says whose/s);
	await writeFile(
		join(folder, "owner.json"),
		JSON.stringify({ hostId: "x", stack: "old", cluster: "d", member: "d-0" }),
	);
	await expect(memberKind.ensure(foreign)).rejects.toThrow(/HF_FOREIGN.*member d-0 of cluster d of stack old/s);
	await expect(memberKind.remove("", await state(foreign))).rejects.toThrow("HF_FOREIGN");
	expect((await host.status("c-2")).state).toBe("missing");
	await rm(folder, { recursive: true });

	const squatter = await listen(ports[2]!);
	await expect(memberKind.ensure(foreign)).rejects.toThrow(
		new RegExp(`HF_PORT_IN_USE.*port ${ports[2]} .* in use by process ${process.pid} .*change the ports`),
	);
	await close(squatter);
	await expect(stat(folder)).rejects.toThrow("ENOENT");
	await expect(memberKind.ensure({ ...foreign, address: { host: "192.0.2.1", port: ports[2]! } })).rejects.toThrow(
		/HF_SETTING.*not an address of this machine/,
	);
	await expect(hostKind.ensure(hostInputs)).rejects.toThrow(/HF_FOREIGN.*its state knows nothing of/);
	await expect(hostKind.remove("", { ...hostInputs, hostId })).rejects.toThrow("HF_UNSAFE");
});

test("a folder and its running process are taken over from a lost stack, without a restart", async () => {
	const dataRoot = join(root, "elsewhere");
	const old = await hostKind.ensure({ ...hostInputs, stack: "s2" });
	const lost = member(3, { stack: "s2", hostId: old.hostId, dataRoot });
	await memberKind.ensure(lost);
	const pid = pidOf(await openHost({ kind: "local", stack: "s2" }).status("c-3"));
	const taken = member(3, { dataRoot, adopt: true });
	await expect(memberKind.ensure({ ...taken, adopt: false })).rejects.toThrow("HF_FOREIGN");
	await expect(memberKind.ensure(taken)).rejects.toThrow(/HF_FOREIGN.*another supervisord/);
	process.kill((await findDaemon("s2"))!, "SIGKILL");
	await rm(stackFolder("s2"), { recursive: true });

	const changed = { ...taken, files: { [CONF]: config(3, { diagnosticDataCollectionEnabled: false }) } };
	await memberKind.ensure(changed);
	const adopted = await host.status("c-3");
	expect(adopted).toMatchObject({ state: "running", processes: [{ pid }] });
	expect(adopted.pendingRestart).toBe(false);
	await memberKind.remove("", await state(changed));
	expect(await born(pid)).toBeUndefined();
});

test("a full disk is waited out", async () => {
	const disk = join(root, "disk");
	await mkdir(disk);
	try {
		execFileSync("mount", ["-t", "tmpfs", "-o", "size=48m", "tmpfs", disk], { stdio: "pipe" });
	} catch {
		console.warn("SKIPPED: a full disk is waited out: this user may not mount a small file system");
		return;
	}
	try {
		await chmod(disk, 0o700);
		const small = member(2, { dataRoot: disk });
		await memberKind.ensure(small);
		const { pid } = (await host.status("c-2")).processes[0]!;
		await fill(join(disk, "ballast"));
		process.kill(pid!, "SIGKILL");
		await until("the end", 60, async () => (await born(pid!)) === undefined);
		await until("the full disk to bite", 60, async () => {
			const [found] = (await host.status("c-2")).processes;
			return found!.state === "backing-off" && found!.detail!.includes(`the disk of ${disk}/c-2 is full`);
		});
		await sleep(4000);
		expect((await host.status("c-2")).state).toBe("backing-off");
		await rm(join(disk, "ballast"));
		await until("space to help", 60, async () => (await host.status("c-2")).state === "running");
		await memberKind.remove("", await state(small));
	} finally {
		execFileSync("umount", ["-l", disk]);
	}
});

async function fill(path: string): Promise<void> {
	const file = await open(path, "w");
	try {
		for (const size of [1 << 20, 4096, 1]) {
			const chunk = Buffer.alloc(size);
			while (
				await file.write(chunk).then(
					({ bytesWritten }) => bytesWritten > 0,
					() => false,
				)
			);
		}
	} finally {
		await file.close();
	}
}

test("removal ends members cleanly, also ones that supervisord did not start, and leaves nothing", async () => {
	const daemon = (await findDaemon(STACK))!;
	process.kill(daemon, "SIGKILL");
	await until("the end of supervisord", 60, async () => (await born(daemon)) === undefined);
	const before = await pids();
	const log = await open(join(wantedFolder(member(0)), "log/mongod.log"), "r");
	await memberKind.remove("", await state(member(0)));
	const text = await log.readFile("utf8");
	await log.close();
	expect(text).toMatch(/"Now exiting".*"exitCode":0/s);

	await hostKind.ensure(hostInputs, { ...hostInputs, hostId });
	await memberKind.remove("", await state(member(1)));
	await memberKind.remove("", await state(member(1)));
	const last = await findDaemon(STACK);
	await hostKind.remove("", { ...hostInputs, hostId });
	for (const pid of [...before, last!]) expect(await born(pid)).toBeUndefined();
	expect(await usersOf(root)).toEqual([]);
	await expect(stat(stackFolder(STACK))).rejects.toThrow("ENOENT");
	expect(await hostKind.observe("", { ...hostInputs, hostId })).toBeUndefined();
});
