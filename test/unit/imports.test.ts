import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const root = resolve(__dirname, "../..");
const files = (folder: string): string[] =>
	readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
		.filter((name) => /\.(ts|mjs|cjs)$/.test(name) && !name.endsWith(".d.cts"))
		.map((name) => join(folder, name));

interface Import {
	from: string;
	typeOnly: boolean;
	dynamic: boolean;
}

/** Every import of a file, whatever its form. */
function imports(file: string): Import[] {
	const text = readFileSync(join(root, file), "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
	const found: Import[] = [];
	for (const [, kind, , from] of text.matchAll(/^\s*(?:import|export)\s+(type\s)?([^"';]*?from\s+)?"([^"]+)"/gm)) {
		found.push({ from: from!, typeOnly: kind !== undefined, dynamic: false });
	}
	for (const [, from] of text.matchAll(/import\(\s*"([^"]+)"\s*\)/g))
		found.push({ from: from!, typeOnly: false, dynamic: true });
	return found;
}

const target = (file: string, from: string) =>
	from.startsWith(".") ? relative(root, resolve(root, dirname(file), from)) : from;

/** Files that `file` loads, itself included, transitively and without types. */
function loaded(file: string, seen = new Set<string>()): Set<string> {
	if (seen.has(file)) return seen;
	seen.add(file);
	for (const { from, typeOnly } of imports(file)) {
		if (typeOnly) continue;
		const to = target(file, from);
		if (to.endsWith(".ts")) loaded(to, seen);
		else seen.add(to);
	}
	return seen;
}

test("the scan finds imports of every form", () => {
	expect(imports("components/dynamic.ts")).toContainEqual({ from: "#runtime", typeOnly: false, dynamic: true });
	expect(imports("components/dynamic.ts")).toContainEqual({ from: "#runtime", typeOnly: true, dynamic: false });
	expect(imports("runtime/index.ts").length).toBeGreaterThan(1);
});

test("the runtime knows nothing above it", () => {
	for (const file of files("runtime")) {
		for (const { from } of imports(file)) {
			expect({ file, from: from.startsWith("@pulumi/") }).toEqual({ file, from: false });
			expect({ file, to: /^(components|stacks|scripts|test)\//.test(target(file, from)) }).toEqual({ file, to: false });
		}
	}
});

test("components reach the runtime through the forwarder, types and pure models only", () => {
	for (const file of files("components")) {
		for (const { from, typeOnly, dynamic } of imports(file)) {
			const to = target(file, from);
			expect({ file, to: /^(stacks|scripts|test)\//.test(to) }).toEqual({ file, to: false });
			if (to === "#runtime" && !typeOnly)
				expect({ file, dynamic }).toEqual({ file: "components/dynamic.ts", dynamic: true });
			if (to.startsWith("runtime/") && !typeOnly)
				expect({ file, to }).toEqual({ file, to: expect.stringMatching(/\/model\.ts$/) });
		}
	}
});

test("models are pure: no driver, no I/O, transitively", () => {
	const models = files("runtime").filter((file) => file.endsWith("/model.ts"));
	expect(models.length).toBeGreaterThan(2);
	for (const model of models) {
		const packages = [...loaded(model)].filter((name) => !name.endsWith(".ts"));
		expect({ model, packages: packages.filter((name) => !["zod", "yaml"].includes(name)) }).toEqual({
			model,
			packages: [],
		});
	}
});

test("only settings.ts reads the configuration, and no file outgrows a screenful of screens", () => {
	for (const file of [...files("stacks"), ...files("components"), ...files("runtime"), ...files("scripts")]) {
		const text = readFileSync(join(root, file), "utf8");
		if (file !== "stacks/settings.ts")
			expect({ file, reads: text.includes("new pulumi.Config") }).toEqual({ file, reads: false });
		expect({ file, long: text.split("\n").length > 201 }).toEqual({ file, long: false });
	}
});
