import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { codes } from "../../runtime/errors.ts";
import { type KindName, kinds, loadRules } from "../../runtime/kinds.ts";
import { replicaSetArgumentsSchema, uriOptionsSchema } from "../../runtime/mongo/model.ts";
import { contracts } from "../../runtime/platform/contract.ts";
import { anchors, leaves, rows, type Schema, section } from "../support/pages.ts";

const root = resolve(__dirname, "../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const files = (folder: string, ending: string): string[] =>
	readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
		.filter((name) => name.endsWith(ending))
		.map((name) => join(folder, name));

const resources = read("docs/resources.md");
const pages = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", ...files("docs", ".md")];
const walk = (schema: unknown, path?: string) => leaves(schema as Schema, path);
const firsts = (found: string[][]) => found.map(([first]) => first);

test("the walk over a schema finds nested properties and defaults", () => {
	const found = walk(replicaSetArgumentsSchema);
	expect(found.get("members")).toBe(3);
	expect([...found.keys()]).toEqual(
		expect.arrayContaining(["overrides.<>.priority", "defaultWriteConcern.wtimeout", "arbiter"]),
	);
});

test.each(
	Object.keys(kinds) as KindName[],
)("docs/resources.md describes %s with all inputs, and no others", async (name) => {
	const text = section(resources, `### ${name}`);
	const { schema, replaces } = await loadRules(name);
	expect(firsts(rows(text, "Input")).sort()).toEqual([...walk(schema).keys()].sort());
	expect(text).toContain(`\`pulumi-nodejs:dynamic/${name.replace("/", ":")}\``);
	const [, replacing] = /^- \*\*Replaced by\*\*: (.*?)\.( |$)/m.exec(text)!;
	expect(replacing).toBe(replaces.length === 0 ? "nothing" : replaces.map((key) => `\`${key}\``).join(", "));
	for (const mark of ["Id", "Deletion", "Drift"]) expect(text).toContain(`- **${mark}**: `);
});

test("docs/resources.md lists the outputs of every kind, and which of them are secret", () => {
	const classes = files("components", ".ts").flatMap((file) => read(file).split(/^(?=export class )/m));
	const managed = classes.filter((text) => /^export class \w+ extends Managed</.test(text));
	const documented = managed.map((text) => {
		const [, kind] = /"(\w+\/\w+)"/.exec(text)!;
		const outputs = [...text.matchAll(/(\w+): "(plain|secret)"/g)].map(([, output, how]) => [output, how]);
		const listed = rows(section(resources, `### ${kind}`), "Output");
		const found = listed.map(([output, secret]) => [output, secret === "yes" ? "secret" : "plain"]);
		expect({ kind, outputs: found }).toEqual({ kind, outputs });
		return kind;
	});
	expect(documented.sort()).toEqual(Object.keys(kinds).sort());
});

test("docs/resources.md lists the arguments of every component", () => {
	const built = files("components", ".ts").filter((file) => !/docker|kubernetes/.test(file));
	const found = built.flatMap((file) => [...read(file).matchAll(/^export interface (\w+)Args .*\{\n([\s\S]*?)^\}/gm)]);
	expect(found.length).toBeGreaterThan(3);
	for (const [, component, body] of found) {
		const properties = [...body!.matchAll(/^\t(\w+)\??:/gm)].map(([, property]) => property);
		const listed = firsts(rows(section(resources, `### ${component}`), "Argument"));
		expect({ component, properties: listed }).toEqual({ component, properties });
	}
});

/** Properties of a schema in stacks/settings.ts, which exports none. */
function settingsOf(schema: string): string[] {
	const declaration = new RegExp(`^const ${schema} = z\\.strictObject\\(\\{\\n([\\s\\S]*?)^\\}\\);`, "m");
	return [...declaration.exec(read("stacks/settings.ts"))![1]!.matchAll(/^\t(\w+)[:,]/gm)].map(([, name]) => name!);
}

test("docs/configuration.md lists every setting with its default, and no others", () => {
	const settings = rows(read("docs/configuration.md"), "Setting");
	const table = new Map(settings.map(([path, ...rest]) => [path!.replaceAll(/<\w+>/g, "<>"), rest]));
	const stack = [...read("stacks/settings.ts").matchAll(/config\.get\w*(?:<.*?>)?\("(\w+)"\)/g)];
	const defaults = new Map([...walk(replicaSetArgumentsSchema), ...walk(uriOptionsSchema, "users.<>.connection")]);
	const wanted = [
		...stack.map(([, name]) => `holdfast:${name}`),
		...defaults.keys(),
		...settingsOf("mongoSettings").filter((name) => !["users", "roles"].includes(name)),
		...settingsOf("mongoUserSettings").map((name) => `users.<>.${name}`),
		...settingsOf("mongoRoleSettings").map((name) => `roles.<>.${name}`),
	];
	expect(wanted).toEqual(expect.arrayContaining(["holdfast:secrets", "basePort", "users.<>.generation"]));
	const within = (path: string, name: string) => path === name || path.startsWith(`${name}.`);
	expect(wanted.filter((name) => ![...table.keys()].some((path) => within(path, name)))).toEqual([]);
	expect([...table.keys()].filter((path) => !wanted.some((name) => within(path, name)))).toEqual([]);
	for (const [path, value] of defaults) {
		if (value === undefined || typeof value === "object") continue;
		expect({ path, default: table.get(path)?.[1] }).toEqual({ path, default: `\`${value}\`` });
	}
});

test("docs/errors.md lists every code, and every exit code with its codes", () => {
	const text = read("docs/errors.md");
	const listed = rows(text, "Code").map(([code, exit]) => [code, Number(exit)]);
	expect(listed).toEqual(Object.entries(codes).map(([code, { exit }]) => [code, exit]));
	const [ours] = section(text, "## Exit codes").split("Pulumi's own codes");
	const exits = new Map(rows(ours!, "Exit code").map(([exit, when]) => [Number(exit), when!]));
	for (const [code, { exit }] of Object.entries(codes)) expect(exits.get(exit)).toContain(`\`${code}\``);
});

test("docs/process-contract.md has the figures of every program", () => {
	const text = read("docs/process-contract.md");
	for (const [program, { stopSignal, stopWait, startGrace, rotateSignal, fatal }] of Object.entries(contracts)) {
		const figures = [`SIG${stopSignal}`, `${stopWait} s`, `${startGrace} s`, `SIG${rotateSignal}`];
		for (const said of [program, ...figures, ...fatal.map((code) => `${code} (`)]) expect(text).toContain(said);
	}
});

test("every page names only commands, options and npm scripts that exist", () => {
	const source = read("scripts/holdfast.ts");
	const commands = [...source.matchAll(/add\("(\w+)/g)].map(([, name]) => name);
	const options = ["--help", "--long", ...[...source.matchAll(/option\("(--[\w-]+)/g)].map(([, name]) => name)];
	const scripts = ["ci", "install", ...Object.keys(JSON.parse(read("package.json")).scripts)];
	let checked = 0;
	for (const page of pages) {
		for (const [, script, words = ""] of read(page).matchAll(
			/[`$(] ?npm (?:run )?(?:--silent )?(?!run`)([\w:]+)(?: -- ([^`\n|)]*))?/g,
		)) {
			expect({ page, script, exists: scripts.includes(script!) }).toEqual({ page, script, exists: true });
			if (script === "pulumi" || script === "bench") continue;
			const [command = ""] = words.split(" ");
			if (script === "holdfast" && /^\w/.test(command)) expect(commands).toContain(command);
			for (const [option] of words.matchAll(/--[\w-]+/g))
				expect({ page, option, in: options }).toEqual({ page, option, in: expect.arrayContaining([option]) });
			checked++;
		}
		for (const [, command] of read(page).matchAll(/`holdfast (\w+)/g))
			expect({ page, command, in: commands }).toEqual({ page, command, in: expect.arrayContaining([command]) });
	}
	expect(checked).toBeGreaterThan(20);
});

test("links between pages lead somewhere", () => {
	for (const page of pages) {
		for (const [, to, anchor] of read(page).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)) {
			const target = to === "" ? page : join(page, "..", to!);
			expect({ page, target, exists: existsSync(join(root, target)) }).toEqual({ page, target, exists: true });
			if (anchor !== undefined)
				expect({ page, to: anchors(read(target)) }).toEqual({ page, to: expect.arrayContaining([anchor]) });
		}
	}
});
