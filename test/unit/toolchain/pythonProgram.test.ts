import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pythonProgram } from "../../../scripts/toolchain/pythonProgram.ts";
import { workshop } from "./fixture.ts";

const launchers = [
	{ program: "bin/thing", entry: "thing.main:run" },
	{ program: "bin/thingctl", entry: "thing.main:control" },
];

/** What a source makes of a manifest without packages, and a package put in their place. */
async function made(compiled: boolean): Promise<{ into: string; needs: string[] }> {
	const shop = workshop();
	const [into, needs] = [join(shop.folder, "into"), [] as string[]];
	mkdirSync(into);
	writeFileSync(join(shop.folder, "requirements.txt"), "# none\n");
	shop.env = process.env;
	const source = pythonProgram("thing", { manifest: "requirements.txt", launchers, compiled });
	await source.make({ into, log: join(shop.folder, "log"), needs }, shop);
	mkdirSync(join(into, "lib/thing"), { recursive: true });
	writeFileSync(
		join(into, "lib/thing/main.py"),
		`import multiprocessing, os, sys

def child(queue):
    queue.put("child")

def run():
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=child, args=(queue,))
    process.start()
    print(os.path.basename(sys.argv[0]), queue.get(timeout=20), *sys.argv[1:])
    process.join()

def control():
    return 3
`,
	);
	return { into, needs };
}

const run = (path: string, ...args: string[]) => execFileSync(path, args, { encoding: "utf8", timeout: 30_000 });

test("launchers find the packages wherever the folder is, and may start processes of their own", async () => {
	const { into, needs } = await made(false);
	expect(needs).toEqual([]);
	const moved = `${into} moved's`;
	renameSync(into, moved);
	expect(run(join(moved, "bin/thing"), "a b", "--version")).toBe("thing child a b --version\n");
	expect(() => run(join(moved, "bin/thingctl"))).toThrow(expect.objectContaining({ status: 3 }));
	expect(readFileSync(join(moved, "bin/thing"), "utf8")).toContain("python=python3");
});

test("compiled packages keep to the interpreter they were installed with, which the build needs", async () => {
	const { into, needs } = await made(true);
	expect(needs).toHaveLength(1);
	expect(readFileSync(join(into, "bin/thing"), "utf8")).not.toContain("python=python3");
	const launcher = readFileSync(join(into, "bin/thing"), "utf8").replace(needs[0]!, "/absent/python3.11");
	cpSync(join(into, "bin/thing"), join(into, "bin/orphan"));
	writeFileSync(join(into, "bin/orphan"), launcher);
	expect(() => run(join(into, "bin/orphan"))).toThrow(/absent\/python3\.11/);
	expect(run(join(into, "bin/thing"))).toBe("thing child\n");
	rmSync(join(into, "bin/orphan"));
});
