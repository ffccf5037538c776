import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { nameOf } from "../../../runtime/discovery/source.ts";
import { type Sighting, watch } from "../../../runtime/discovery/watch.ts";
import { until } from "../../support/until.ts";

const LIMIT_MS = 30_000;

const folder = mkdtempSync(join(tmpdir(), "holdfast-watch-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a file is read again when it changes, and its failures keep the last list", async () => {
	const path = join(folder, "nodes.json");
	const seen: Sighting[] = [];
	const last = () => ({ verdict: seen.at(-1)?.verdict, names: seen.at(-1)?.addresses?.map(nameOf) });
	const is = (verdict: string, names?: string[]) => () => JSON.stringify(last()) === JSON.stringify({ verdict, names });
	const options = { ports: { missing: 6379 }, everyMs: 10, seen: (found: Sighting) => void seen.push(found) };
	const watching = watch({ kind: "file", path }, options);
	await until("unavailable", LIMIT_MS, is("unavailable"));
	writeFileSync(path, '["10.0.0.2", "10.0.0.1:7000", "10.0.0.3"]');
	const all = ["10.0.0.1:7000", "10.0.0.2:6379", "10.0.0.3:6379"];
	await until("ok", LIMIT_MS, is("ok", all));
	writeFileSync(path, "[");
	await until("malformed", LIMIT_MS, is("malformed", all));
	expect(seen.at(-1)!.problem).toBe(`${path} is not a JSON list of addresses`);
	writeFileSync(path, "[]");
	await until("empty", LIMIT_MS, is("empty", all));
	rmSync(path);
	await until("unavailable", LIMIT_MS, is("unavailable", all));
	// Declared: somebody meant it.
	writeFileSync(path, '["10.0.0.9"]');
	await until("ok", LIMIT_MS, is("ok", ["10.0.0.9:6379"]));
	watching.stop();
	const count = seen.length;
	writeFileSync(path, "[]");
	await sleep(60);
	expect(seen.length).toBe(count);
});

test("a failing source is asked less and less often", async () => {
	const times: number[] = [];
	const options = { ports: { missing: 1 }, everyMs: 20, seen: () => void times.push(performance.now()) };
	const watching = watch({ kind: "file", path: join(folder, "none.json") }, options);
	await until("eight looks", LIMIT_MS, () => times.length >= 8);
	watching.stop();
	// Its usual pace would be 7 times 20 ms.
	expect(times.at(-1)! - times[0]!).toBeGreaterThan(1.5 * 7 * 20);
});
