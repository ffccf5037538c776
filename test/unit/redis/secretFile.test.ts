import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pino } from "pino";
import { keysOf } from "../../../runtime/redis/readSettings.ts";
import { type Watched, watchSecret } from "../../../runtime/redis/secretFile.ts";
import { until } from "../../support/until.ts";

const LIMIT_MS = 30_000;

const folder = mkdtempSync(join(tmpdir(), "holdfast-secret-"));
const path = join(folder, "keys");
const lines: string[] = [];
const log = pino({}, { write: (line: string) => void lines.push(line) });
const read = (file: string) => readFileSync(file, "utf8");
let watched: Watched<string[]>;

beforeEach(() => {
	lines.length = 0;
	writeFileSync(path, "first-key-1\n");
	watched = watchSecret({ name: "API_KEY", secret: { path }, parse: keysOf, read, log, pollMs: 5 });
});
afterEach(() => watched.close());
afterAll(() => rmSync(folder, { recursive: true }));

/** As an operator, or a mounted secret, does it. */
const replace = (text: string) => {
	writeFileSync(`${path}.new`, text);
	renameSync(`${path}.new`, path);
};

test("a replaced file is taken up, and the same object given as long as it stands", async () => {
	const before = watched.current();
	expect(watched.current()).toBe(before);
	replace("second-key-2,first-key-1");
	await until("another secret", LIMIT_MS, () => watched.current() !== before);
	expect(watched.current()).toEqual(["second-key-2", "first-key-1"]);
	expect(lines.join("")).not.toContain("key-");
	const after = watched.current();
	replace("second-key-2,first-key-1\n");
	await sleep(30);
	expect(watched.current()).toBe(after);
});

test("what cannot be used, or is gone, changes nothing and is said once; the next good text counts", async () => {
	replace("bad");
	await until("word of it", LIMIT_MS, () => lines.length > 0);
	rmSync(path);
	await until("word of it", LIMIT_MS, () => lines.length > 1);
	await sleep(30);
	expect(watched.current()).toEqual(["first-key-1"]);
	expect(lines.map((line) => JSON.parse(line).problem)).toEqual(["HF_SETTING", "ENOENT"]);
	writeFileSync(path, "third-key-3");
	await until("another secret", LIMIT_MS, () => watched.current()[0] === "third-key-3");
});

test("nothing is said of what comes after the end, also by a look that was under way", async () => {
	for (let i = 0; i < 300; i++) {
		replace(`key-number-${i}`);
		const one = watchSecret({ name: "API_KEY", secret: { path }, parse: keysOf, read, log, pollMs: 1 });
		await sleep(i % 4);
		one.close();
		watched.close();
		lines.length = 0;
		replace("bad");
		await sleep(2);
		expect(lines).toEqual([]);
	}
});

test("a secret that was given as text never changes", () => {
	const given = watchSecret({ name: "X", secret: { text: "text-key-1" }, parse: keysOf, read, log });
	expect(given.current()).toEqual(["text-key-1"]);
	expect(given.current()).toBe(given.current());
});
