import { chmodSync, cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isCurrent, lockOf, readRecord, writeRecord } from "../../../scripts/toolchain/record.cjs";
import { program, scratch } from "./fixture.ts";

const root = join(__dirname, "../../..");

function checkout(): string {
	const copy = scratch();
	cpSync(join(root, "tools"), join(copy, "tools"), { recursive: true });
	mkdirSync(join(copy, "scripts/toolchain"), { recursive: true });
	cpSync(join(root, "scripts/toolchain/catalogue.ts"), join(copy, "scripts/toolchain/catalogue.ts"));
	return copy;
}

test("the lock depends on the manifests and the catalogue, not on where the checkout is", () => {
	const copy = checkout();
	const lock = lockOf(root);
	expect(lockOf(copy)).toBe(lock);
	writeFileSync(join(copy, "tools/mongod/requirements.txt"), "other==1");
	const changed = lockOf(copy);
	expect(changed).not.toBe(lock);
	writeFileSync(join(copy, "tools/added"), "");
	expect(lockOf(copy)).not.toBe(changed);
});

test("a record is current while its lock is the same and every program can be run", () => {
	const home = scratch();
	const path = program(join(home, "mongod"), "");
	const tools = { mongod: { path, version: "6.0.5", source: "PATH", builds: [] } };
	writeRecord(home, { lock: "a", tools });
	const record = readRecord(home);
	expect(isCurrent(record, "a")).toBe(true);
	expect(isCurrent(record, "b")).toBe(false);
	chmodSync(path, 0o644);
	expect(isCurrent(record, "a")).toBe(false);
	rmSync(path);
	expect(isCurrent(record, "a")).toBe(false);
	expect(isCurrent(undefined, "a")).toBe(false);
});

test("a record is not current when the interpreter of a program is gone", () => {
	const home = scratch();
	const [path, interpreter] = [program(join(home, "patroni"), ""), program(join(home, "python3.11"), "")];
	const tools = { patroni: { path, version: "4.1.5", source: "PyPI", builds: [], needs: [interpreter] } };
	writeRecord(home, { lock: "a", tools });
	expect(isCurrent(readRecord(home), "a")).toBe(true);
	rmSync(interpreter);
	expect(isCurrent(readRecord(home), "a")).toBe(false);
});

test("a record that cannot be parsed counts as none", () => {
	const home = scratch();
	expect(readRecord(home)).toBeUndefined();
	writeFileSync(join(home, "tools.json"), '{"lock": "a"');
	expect(readRecord(home)).toBeUndefined();
});
