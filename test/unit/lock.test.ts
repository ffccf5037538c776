import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { withLock } from "../../runtime/lock.ts";

const LOCK = JSON.stringify(join(__dirname, "../../runtime/lock.ts"));
let root = "";
let path = "";
const children: ChildProcess[] = [];

beforeEach(async () => {
	root = await mkdtemp(join(tmpdir(), "holdfast-lock-"));
	path = join(root, "lock");
});

afterEach(async () => {
	for (const child of children.splice(0)) child.kill("SIGKILL");
	await rm(root, { recursive: true, force: true });
});

/** Another process that takes the lock and says "got", then does `work` under it. */
function other(work: string): ChildProcess {
	const script = `import { withLock } from ${LOCK};
		import { readFile, writeFile } from "node:fs/promises";
		import { setTimeout as sleep } from "node:timers/promises";
		await withLock(${JSON.stringify(path)}, "test the other", { waitMs: 20000 }, async () => { console.log("got"); ${work} });`;
	const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
		stdio: ["ignore", "pipe", "inherit"],
	});
	children.push(child);
	return child;
}

test("callers of one process take turns, in order, and a failure lets the next one in", async () => {
	const seen: string[] = [];
	const turn = (name: string) =>
		withLock(path, name, { waitMs: 5000 }, async () => {
			seen.push(`${name} in`);
			await sleep(20);
			seen.push(`${name} out`);
			if (name === "b") throw new Error("b failed");
			return name;
		});
	const results = await Promise.allSettled([turn("a"), turn("b"), turn("c")]);
	expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
	expect(seen).toEqual(["a in", "a out", "b in", "b out", "c in", "c out"]);
});

test("processes exclude each other", async () => {
	const counter = JSON.stringify(join(root, "counter"));
	await writeFile(join(root, "counter"), "0");
	const work = `const n = Number(await readFile(${counter})); await sleep(100); await writeFile(${counter}, String(n + 1));`;
	const ended = [other(work), other(work), other(work)].map((child) => once(child, "exit"));
	await Promise.all(ended);
	expect(await readFile(join(root, "counter"), "utf8")).toBe("3");
});

test("a live owner is named once the time is up, and a killed one does not hold the lock", async () => {
	const owner = other("await sleep(60000);");
	await once(owner.stdout!, "data");
	const attempt = withLock(path, "ours", { waitMs: 300 }, async () => "in");
	await expect(attempt).rejects.toThrow(new RegExp(`HF_LOCKED.*process ${owner.pid} \\(test the other, since 20`));
	owner.kill("SIGKILL");
	await expect(withLock(path, "ours", { waitMs: 5000 }, async () => "in")).resolves.toBe("in");
});

test("the file may be deleted under the lock: who waited for it locks the new one", async () => {
	let child: ChildProcess | undefined;
	await withLock(path, "delete", { waitMs: 0 }, async () => {
		child = other("await sleep(60000);");
		await sleep(1500);
		await rm(path);
	});
	await once(child!.stdout!, "data");
	await expect(withLock(path, "ours", { waitMs: 0 }, async () => "in")).rejects.toThrow("HF_LOCKED");
});
