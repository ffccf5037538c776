import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { codes } from "../../runtime/errors.ts";
import { type KindName, kinds, loadRules } from "../../runtime/kinds.ts";
import { replicaSetArgumentsSchema, uriOptionsSchema } from "../../runtime/mongo/model.ts";
import { contracts } from "../../runtime/platform/contract.ts";
import { profiles } from "../../runtime/postgres/profile.ts";
import { mongoSecretsShape, mongoSettings } from "../../stacks/mongoSettings.ts";
import { postgresSecretsShape, postgresSettings } from "../../stacks/postgresSettings.ts";
import { redisSecretsShape, redisSettings } from "../../stacks/redisSettings.ts";
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
	const found = built.flatMap((file) => {
		const text = read(file);
		const all = [...text.matchAll(/^export interface (\w+)Args .*\{\n([\s\S]*?)^\}/gm)];
		return all.filter(([, name]) => new RegExp(`^export class ${name}\\b`, "m").test(text));
	});
	expect(found.length).toBeGreaterThan(3);
	for (const [, component, body] of found) {
		const properties = [...body!.matchAll(/^\t(\w+)\??:/gm)].map(([, property]) => property);
		const listed = firsts(rows(section(resources, `### ${component}`), "Argument"));
		expect({ component, properties: listed }).toEqual({ component, properties });
	}
});

/** Lists of objects and maps below a setting are described in its own row: `roles.<>.memberOf`, `tls.trusted`. */
function settingOf(path: string): string {
	const [, owner = "", rest] = /^((?:overrides|users|roles|databases)\.<>\.)?(.*)$/.exec(path)!;
	return owner + rest!.replace(/(\[\]|\.<>).*$/, "");
}

/** Settings of a system by path, with their defaults. */
function settingsIn(schema: Schema): Map<string, unknown> {
	return new Map([...leaves(schema)].map(([path, value]) => [settingOf(path), value]));
}

const configuration = read("docs/configuration.md");
const postgresPart = section(configuration, "## The PostgreSQL cluster");
const redisPart = section(configuration, "## The Redis manager");
const migrationParts = ["## Id maps", "## Migrations"].map((heading) => section(configuration, heading));
const mongoPart = [postgresPart, redisPart, ...migrationParts].reduce(
	(page, part) => page.replace(part, ""),
	configuration,
);
const pathOf = (name: string): string => settingOf(name.replaceAll(/<\w+>/g, "<>"));
const defaultText = (value: unknown): string => `\`${value}\``;

test.each([
	["mongo", mongoSettings, mongoPart, ["existing", "users.<>.connection.retryReads", "overrides.<>.votes"]],
	["postgres", postgresSettings, postgresPart, ["ports.etcdPeer", "roles.<>.memberOf", "databases.<>.dropOnDelete"]],
	["redis", redisSettings, redisPart, ["ports.manager", "appendfsync", "apiKeyGeneration"]],
] as const)("docs/configuration.md lists every setting of holdfast:%s with its default, and no others", (_, schema, part, some) => {
	const wanted = settingsIn(schema as unknown as Schema);
	expect([...wanted.keys()]).toEqual(expect.arrayContaining([...some]));
	const settings = rows(part, "Setting").filter(([path]) => !path!.startsWith("holdfast:"));
	// An object may have a row of its own besides those of its properties.
	const isWhole = (path: string) => [...wanted.keys()].some((one) => one.startsWith(`${path}.`));
	const listed = settings.map(([path]) => pathOf(path!)).filter((path) => !isWhole(path));
	expect([...listed].sort()).toEqual([...wanted.keys()].sort());
	const defaults = new Map(settings.map(([path, , value]) => [pathOf(path!), value]));
	for (const [path, value] of wanted) {
		if (value === undefined || (typeof value === "object" && Object.keys(value!).length > 0)) continue;
		const text = Array.isArray(value) ? "`[]`" : typeof value === "object" ? "`{}`" : defaultText(value);
		expect({ path, default: defaults.get(path) }).toEqual({ path, default: text });
	}
});

test("docs/configuration.md has the defaults that a replica set of our own gets", () => {
	const defaults = new Map(rows(mongoPart, "Setting").map(([path, , value]) => [pathOf(path!), value]));
	for (const [path, value] of [...walk(replicaSetArgumentsSchema), ...walk(uriOptionsSchema, "users.<>.connection")]) {
		if (value === undefined || typeof value === "object") continue;
		expect({ path, default: defaults.get(path) }).toEqual({ path, default: defaultText(value) });
	}
});

test("docs/configuration.md lists the stack's settings and the secrets that can be given", () => {
	const stack = [...read("stacks/settings.ts").matchAll(/config\.get\w*(?:<.*?>)?\("(\w+)"\)/g)];
	const listed = firsts(rows(configuration, "Setting")).filter((path) => path!.startsWith("holdfast:"));
	expect([...listed].sort()).toEqual(stack.map(([, name]) => `holdfast:${name}`).sort());
	const secrets = (part: string) => firsts(rows(part, "Name")).filter((name) => !name!.startsWith("a "));
	expect(secrets(mongoPart).sort()).toEqual(Object.keys(mongoSecretsShape([])).sort());
	expect(secrets(postgresPart).sort()).toEqual(Object.keys(postgresSecretsShape([])).sort());
	expect(secrets(redisPart).sort()).toEqual(Object.keys(redisSecretsShape).sort());
});

test("docs/configuration.md has the figures of every profile, and settings that exist for environment variables", () => {
	const timings = rows(postgresPart, "Profile").map(([name, ttl, loopWait, retryTimeout]) => [
		name,
		Object.fromEntries(
			Object.entries({ ttl, loopWait, retryTimeout }).map(([key, text]) => [key, Number.parseInt(text!, 10)]),
		),
	]);
	expect(Object.fromEntries(timings)).toEqual(profiles);
	const wanted = [...settingsIn(postgresSettings as unknown as Schema).keys(), "tls"];
	const variables = rows(postgresPart, "Variable");
	for (const [variable, meaning] of variables) {
		const [, setting] = /^(?:Given secret )?`([\w.]+)/.exec(meaning!) ?? [];
		const known = meaning!.startsWith("Given secret") ? Object.keys(postgresSecretsShape([])) : wanted;
		expect({ variable, setting, known }).toEqual({ variable, setting, known: expect.arrayContaining([setting]) });
	}
	expect(variables.length).toBeGreaterThan(10);
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
		const figures = [
			`SIG${stopSignal}`,
			`${stopWait} s`,
			`${startGrace} s`,
			...(rotateSignal ? [`SIG${rotateSignal}`] : []),
		];
		for (const said of [program, ...figures, ...fatal.map((code) => `${code} (`)]) expect(text).toContain(said);
	}
});

test("every page names only commands, options and npm scripts that exist", () => {
	const source = read("scripts/holdfast.ts");
	const commands = [...source.matchAll(/add\(\s*"(\w+)/g)].map(([, name]) => name);
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
