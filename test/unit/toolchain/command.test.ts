import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { run } from "../../../scripts/toolchain/command.cjs";
import { Progress } from "../../../scripts/toolchain/progress.cjs";
import { scratch } from "./fixture.ts";

const options = () => ({ log: join(scratch(), "logs", "x.log"), deadlineMs: 20_000 });

test("output goes to the log and success is silent", async () => {
	const given = options();
	await run("/bin/sh", ["-c", "echo out; echo err >&2"], given);
	expect(readFileSync(given.log, "utf8")).toBe("out\nerr\n");
});

test("a failure gives the telling line of this run, the exit code and the log", async () => {
	const given = options();
	await run("/bin/sh", ["-c", "echo 'error: of an earlier run'"], given);
	const failed = run("/bin/sh", ["-c", "echo 'error: the hash differs'; echo later; exit 3"], given);
	await expect(failed).rejects.toThrow(`sh ended with 3: error: the hash differs (log: ${given.log})`);
	await expect(run("/bin/sh", ["-c", "echo bye; exit 4"], given)).rejects.toThrow("sh ended with 4: bye");
});

test("a program that is not there is named", async () => {
	await expect(run("absent-program", [], options())).rejects.toThrow(/absent-program could not be started: ENOENT/);
});

test("the deadline ends the program and its children", async () => {
	const mark = join(scratch(), "mark");
	const late = run("/bin/sh", ["-c", `(sleep 2; echo x > ${mark}) & wait`], { ...options(), deadlineMs: 300 });
	await expect(late).rejects.toThrow(/not finished after 0\.3 s/);
	await sleep(2500);
	expect(existsSync(mark)).toBe(false);
});

test.each(["SIGINT", "SIGTERM"] as const)("%s ends the children, also when it comes twice", async (signal) => {
	const folder = scratch();
	const library = join(__dirname, "../../../scripts/toolchain/command.cjs");
	const body = `echo started > ${folder}/started; sleep 2; echo x > ${folder}/mark`;
	// The second one, as from a terminal and from npm for one Ctrl-C, comes just before the children are stopped.
	const code = `process.on("exit", () => process.kill(process.pid, "${signal}"));
		require(${JSON.stringify(library)}).run("/bin/sh", ["-c", ${JSON.stringify(body)}],
		{ log: ${JSON.stringify(join(folder, "log"))}, deadlineMs: 20000 });`;
	const parent = spawn(process.execPath, ["-e", code], { stdio: "ignore" });
	while (!existsSync(join(folder, "started"))) await sleep(20);
	parent.kill(signal);
	await once(parent, "close");
	await sleep(2500);
	expect(existsSync(join(folder, "mark"))).toBe(false);
});

test("progress: one line at the start, heartbeats that name all that goes on, one line at the end", async () => {
	const said: string[] = [];
	const progress = new Progress({ write: (text) => said.push(text) }, 40);
	const first = progress.start("building a", "about 1 minute");
	const second = progress.start("downloading b");
	await sleep(100);
	first("done");
	second("failed");
	const count = said.length;
	await sleep(100);
	expect(said).toHaveLength(count);
	expect(said[0]).toBe("holdfast: building a, about 1 minute\n");
	expect(said[2]).toBe("holdfast: still building a 0:00, downloading b 0:00\n");
	expect(said.slice(-2)).toEqual(["holdfast: building a: done (0:00)\n", "holdfast: downloading b: failed (0:00)\n"]);
});

test("progress on a terminal is one line that is drawn again", async () => {
	const said: string[] = [];
	const end = new Progress({ isTTY: true, columns: 20, write: (text) => said.push(text) }).start("building something");
	await sleep(1100);
	end("done");
	expect(said[1]).toBe("\r\x1b[Kbuilding something ");
});
