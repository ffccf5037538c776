import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cached } from "../../../scripts/toolchain/cache.ts";
import { failure, NoSource, select } from "../../../scripts/toolchain/select.ts";
import { failing, making, program, script, thing, workshop } from "./fixture.ts";

test("a supported program on PATH comes first and nothing is made", async () => {
	const shop = workshop();
	const source = making("registry", "thing 2.5.0");
	const path = program(join(shop.folder, "bin/thing"), "thing 3.9.1");
	expect(await select(thing([source]), shop)).toMatchObject({ path, version: "3.9.1", source: "PATH" });
	expect(source.times).toBe(0);
});

test.each(["thing 2.0.9", "thing 4.0.0", "something else"])("%s on PATH is passed over for a source", async (says) => {
	const shop = workshop();
	program(join(shop.folder, "bin/thing"), says);
	const found = await select(thing([making("registry", "thing 2.5.0")]), shop);
	expect(found).toMatchObject({ version: "2.5.0", source: "registry" });
});

test("a program on PATH without what belongs beside it is passed over", async () => {
	const shop = workshop();
	program(join(shop.folder, "bin/thing"), "thing 3.0.0");
	const wrong = select(thing([failing("registry", "closed")], { beside: ["thing-helper"] }), shop);
	await expect(wrong).rejects.toThrow(/has no thing-helper beside it/);
});

test("sources are tried in order until one works, and the second time the cache serves", async () => {
	const shop = workshop();
	const [second, third] = [making("second", "thing 2.5.0"), making("third", "thing 2.5.0")];
	const tool = thing([failing("first", "closed"), second, third]);
	expect((await select(tool, shop)).source).toBe("second");
	expect((await select(tool, shop)).source).toBe("second");
	expect([second.times, third.times]).toEqual([1, 0]);
	expect(shop.said.join("")).toContain("failed: closed");
});

test("a program that came from the cache stays although PATH has one now", async () => {
	const shop = workshop();
	const tool = thing([making("registry", "thing 2.5.0")]);
	await select(tool, shop);
	program(join(shop.folder, "bin/thing"), "thing 3.0.0");
	expect((await select(tool, shop, true)).source).toBe("registry");
	expect((await select(tool, shop)).source).toBe("PATH");
});

test("the cache itself on PATH is not taken for the machine's own program", async () => {
	const shop = workshop();
	const tool = thing([making("registry", "thing 2.5.0")]);
	const { path } = await select(tool, shop);
	const env = { PATH: join(path, "..") };
	expect((await select(tool, { ...shop, env })).source).toBe("registry");
});

test("what a source made is used only if it runs and is the pinned version", async () => {
	const shop = workshop();
	await expect(select(thing([making("registry", "thing 2.4.9")]), shop)).rejects.toThrow(/it made version 2\.4\.9/);
	const broken = {
		...making("registry", ""),
		make: async ({ into }: { into: string }) => {
			script(join(into, "bin/thing"), "echo 'libx.so.3: cannot open shared object file' >&2; exit 127");
		},
	};
	await expect(select(thing([broken]), shop)).rejects.toThrow(/libx\.so\.3: cannot open shared object file/);
	expect(cached(shop.cache, thing([]))).toBeUndefined();
	expect(readdirSync(join(shop.cache, "thing"))).toEqual([]);
});

test("a damaged or half-made build is made again", async () => {
	const shop = workshop();
	const source = making("registry", "thing 2.5.0");
	const folder = join(shop.cache, "thing", `2.5.0-${process.platform}-${process.arch}`);
	const left = join(shop.cache, "thing", `.2.5.0-${process.platform}-${process.arch}.1`);
	for (const name of [folder, left]) mkdirSync(join(name, "bin"), { recursive: true });
	program(join(folder, "bin/thing"), "thing 2.5.0");
	writeFileSync(join(folder, "origin.json"), "{ half");
	expect((await select(thing([source]), shop)).path).toBe(join(folder, "bin/thing"));
	expect(source.times).toBe(1);
	expect(existsSync(left)).toBe(false);
});

test("two set-ups at once make a program once", async () => {
	const shop = workshop();
	const source = making("registry", "thing 2.5.0");
	const tool = thing([source]);
	const [one, two] = await Promise.all([select(tool, shop), select(tool, shop)]);
	expect(one).toEqual(two);
	expect(source.times).toBe(1);
});

test("a failure names every program, every source with its reason, and what to do", async () => {
	const shop = workshop();
	program(join(shop.folder, "bin/thing"), "thing 1.0.0");
	const tool = thing([failing("vendor", "cannot be reached"), failing("registry", "hash differs (log: /x.log)")]);
	const error = await select(tool, shop).catch((reason: unknown) => reason as NoSource);
	expect(error).toBeInstanceOf(NoSource);
	const { code, message, next } = failure([error as NoSource, new NoSource(thing([], { name: "other" }), [])]);
	expect(code).toBe("HF_TOOL");
	for (const part of [
		"thing 2.1",
		"is 1.0.0",
		"vendor: cannot be reached",
		"registry: hash differs (log: /x.log)",
		"other",
	])
		expect(message).toContain(part);
	expect(next).toContain("install thing 3");
});

test("a cache that cannot be written is said before anything is made", async () => {
	const shop = workshop();
	writeFileSync(shop.cache, "a file is in the way");
	const source = making("registry", "thing 2.5.0");
	await expect(select(thing([source]), shop)).rejects.toMatchObject({
		code: "HF_TOOL",
		message: expect.stringContaining("cannot be written"),
		next: expect.stringContaining("HOLDFAST_CACHE"),
	});
	expect(source.times).toBe(0);
});
