import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { seize, withLock } from "../../../scripts/toolchain/lock.cjs";
import { scratch } from "./fixture.ts";

const library = join(__dirname, "../../../scripts/toolchain/lock.cjs");
const quiet = { waiting: () => () => {}, deadlineMs: 20_000 };

function other(code: string): ChildProcess {
	const prelude = `const { seize, withLock } = require(${JSON.stringify(library)});`;
	return spawn(process.execPath, ["-e", prelude + code], { stdio: ["ignore", "pipe", "inherit"] });
}

test("another process waits, says for whom, and goes on after the release", async () => {
	const path = join(scratch(), "lock");
	const child = other(`seize(${JSON.stringify(path)}, "building"); console.log("held"); setTimeout(() => {}, 30000);`);
	await once(child.stdout!, "data");
	const holders: number[] = [];
	let over = 0;
	const waiting = (holder: { pid: number; what: string }) => {
		expect(holder.what).toBe("building");
		holders.push(holder.pid);
		// Killed without a chance to release: only now may we go on.
		child.kill("SIGKILL");
		return () => over++;
	};
	expect(await withLock(path, "mine", { waiting, deadlineMs: 20_000 }, async () => "done")).toBe("done");
	expect([holders, over]).toEqual([[child.pid], 1]);
	expect(existsSync(path)).toBe(false);
});

test("many processes at once never hold it together, also when they start from a dead owner's lock", async () => {
	const folder = scratch();
	const path = join(folder, "lock");
	const counter = join(folder, "counter");
	writeFileSync(counter, "0");
	writeFileSync(path, JSON.stringify({ id: "dead", pid: 2 ** 22 - 1, start: "1", host: hostname(), what: "gone" }));
	const code = `const fs = require("node:fs");
		const quiet = { waiting: () => () => {}, deadlineMs: 20000 };
		(async () => { for (let i = 0; i < 5; i++) await withLock(${JSON.stringify(path)}, "count", quiet, async () => {
			const seen = Number(fs.readFileSync(${JSON.stringify(counter)}));
			await new Promise((resolve) => setTimeout(resolve, 5));
			fs.writeFileSync(${JSON.stringify(counter)}, String(seen + 1));
		}); })();`;
	const children = Array.from({ length: 4 }, () => other(code));
	await Promise.all(children.map((child) => once(child, "close")));
	expect(readFileSync(counter, "utf8")).toBe("20");
	expect(readdirSync(folder)).toEqual(["counter"]);
});

test("a later process with the pid of a dead owner does not keep the lock", async () => {
	const path = join(scratch(), "lock");
	writeFileSync(path, JSON.stringify({ id: "old", pid: process.pid, start: "1", host: hostname(), what: "gone" }));
	expect(await withLock(path, "mine", quiet, async () => "done")).toBe("done");
});

test("an owner on another machine counts as alive, and the deadline names it", async () => {
	const path = join(scratch(), "lock");
	writeFileSync(path, JSON.stringify({ id: "far", pid: 2 ** 22 - 1, host: "elsewhere", what: "building" }));
	expect(seize(path, "mine").holder).toMatchObject({ host: "elsewhere" });
	const late = withLock(path, "mine", { ...quiet, deadlineMs: 0 }, async () => "done");
	await expect(late).rejects.toThrow(/process 4194303 on elsewhere \(building\) still holds/);
});

test("the lock is given back when the work fails", async () => {
	const path = join(scratch(), "lock");
	const work = async () => {
		throw new Error("broken");
	};
	await expect(withLock(path, "mine", quiet, work)).rejects.toThrow("broken");
	expect(existsSync(path)).toBe(false);
});
