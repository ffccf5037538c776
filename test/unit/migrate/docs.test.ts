import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import { idMapSchema, managedMigrationSchema, migrationSchema, rulesSchema } from "../../../runtime/migrate/model.ts";
import { objectRulesSchema } from "../../../runtime/migrate/rules.ts";
import { idMapsSettings, migrationsSettings } from "../../../stacks/migrationSettings.ts";
import { leaves, rows, type Schema, section } from "../../support/pages.ts";

const root = resolve(__dirname, "../../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const page = read("docs/migrate.md");
const configuration = read("docs/configuration.md");
const walk = (schema: unknown) => leaves(schema as Schema);
const firsts = (found: string[][]) => found.map(([first]) => first!);

const text = (value: unknown): string => {
	if (value === "") return '`""`';
	return typeof value === "object" ? "`{}`" : `\`${value}\``;
};

/** Every row is an option and every option a row; where the schema has a default, the third column has it. */
function expectSame(table: string[][], schema: Map<string, unknown>): void {
	expect(firsts(table).sort()).toEqual([...schema.keys()].sort());
	for (const [path, , given] of table) {
		const value = schema.get(path!);
		if (value !== undefined) expect([path, given]).toEqual([path, text(value)]);
	}
}

test("docs/migrate.md lists the options of an id map", () => {
	expectSame(rows(section(page, "## The id map"), "Option"), walk(idMapSchema));
});

test("docs/migrate.md lists the options of a migration", () => {
	const options = [...walk(migrationSchema)].filter(([path]) => !path.startsWith("rules"));
	expectSame(rows(section(page, "## The migration file"), "Option"), new Map(options));
});

test("docs/migrate.md lists the rules for entities, and which of them have defaults of their own", () => {
	const table = rows(section(page, "### Rules for entities"), "Rule");
	const schema = [...walk(rulesSchema).keys()];
	const below = (prefix: string) =>
		schema.filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length));
	expect(firsts(table).sort()).toEqual(below("kinds.<>.").sort());
	const marked = table.filter(([, inDefaults]) => inDefaults === "yes");
	expect(firsts(marked).sort()).toEqual(below("defaults.").sort());
});

test("docs/migrate.md lists the rules for objects", () => {
	const table = rows(section(page, "### Rules for objects"), "Rule");
	const schema = new Map([...walk(objectRulesSchema)].map(([path, value]) => [path.replace("[].", ""), value]));
	expect(firsts(table).sort()).toEqual([...schema.keys()].sort());
	expect(new Map(table.map(([rule, value]) => [rule, value])).get("skip")).toBe(text(schema.get("skip")));
});

test("docs/migrate.md lists the verbs and options of both commands", () => {
	const source = read("scripts/holdfast.ts");
	const [, of = ""] = /(add\("idmap [\s\S]*?)\n}/.exec(source)!;
	const options = [...of.matchAll(/option\("(--[\w-]+)/g)].map(([, option]) => option!);
	const part = section(page, "## Commands");
	const listed = rows(part, "Option").flatMap(([option]) => [...option!.matchAll(/--[\w-]+/g)].map(([name]) => name));
	expect(listed.sort()).toEqual(options.sort());
	const commands = firsts(rows(part, "Command")).map((command) => command.replace(" FILE", ""));
	const verbs = (command: string) =>
		[...read(`scripts/commands/${command}.ts`).matchAll(/^\t"?([\w-]+)"?(?:,|: (?:exported|async \(\)).*)$/gm)].map(
			([, verb]) => `${command} ${verb}`,
		);
	expect(commands.sort()).toEqual([...verbs("idmap"), ...verbs("migrate")].sort());
});

test("docs/migrate.md says what every code of a dead letter means", () => {
	const files = readdirSync(join(root, "runtime/migrate"), { recursive: true, encoding: "utf8" });
	const texts = files.filter((name) => name.endsWith(".ts")).map((name) => read(join("runtime/migrate", name)));
	const codes = texts.flatMap((text) => [
		...[...text.matchAll(/code: "([A-Z][A-Z_]+)"/g)].map(([, code]) => code!),
		...[...text.matchAll(/"([A-Z]+(?:_[A-Z]+)*)"(?= \||;)/g)].map(([, code]) => code!),
	]);
	const known = new Set(codes.filter((code) => !code.startsWith("HF_") && /^[A-Z]{4,}/.test(code)));
	expect(known.size).toBeGreaterThan(10);
	expect(firsts(rows(section(page, "## Dead letters"), "Code"))).toEqual(expect.arrayContaining([...known]));
});

const settings = (part: string) => rows(section(configuration, part), "Setting");

test("docs/configuration.md lists the settings of a stack's maps", () => {
	const { valueType } = (idMapsSettings as unknown as Schema).def;
	const all = [...leaves(valueType!)].map(([path, value]) => [path.replace(/\[\].*/, ""), value] as const);
	expectSame(settings("## Id maps"), new Map(all.filter(([path]) => path !== "sources")).set("sources", undefined));
});

test("docs/configuration.md lists what a stack's migrations have beyond a migration file", () => {
	const { valueType } = (migrationsSettings as unknown as Schema).def;
	const own = [...leaves(valueType!).keys()];
	const file = [...walk(migrationSchema).keys()];
	const table = settings("## Migrations");
	const more = own.filter((path) => !file.includes(path));
	expect(firsts(table).sort()).toEqual(["kind", ...more].sort());
	const minutes = walk(managedMigrationSchema).get("timeoutMinutes");
	expect(table.find(([path]) => path === "timeoutMinutes")![2]).toBe(text(minutes));
	const missing = file.filter((path) => !own.includes(path)).map((path) => path.split(".")[0]);
	expect([...new Set(missing)].sort()).toEqual(["idMap", "mongo", "name"]);
});

test("the stack that docs/configuration.md shows is one that the settings take", () => {
	const [, yaml] = /```yaml\n([\s\S]*?)```/.exec(section(configuration, "## Migrations"))!;
	const { config } = parse(yaml!);
	expect(idMapsSettings.safeParse(config["holdfast:idMaps"]).error).toBeUndefined();
	expect(migrationsSettings.safeParse(config["holdfast:migrations"]).error).toBeUndefined();
});

test("the files of the example are such as the schema takes", () => {
	for (const name of ["entities.yaml", "objects.yaml"]) {
		const { error } = migrationSchema.safeParse(parse(read(join("examples/dyff", name))));
		expect([name, error]).toEqual([name, undefined]);
	}
});

test("the manifest of the Job tries again what is worth it, and nothing else", () => {
	const [, yaml] = /```yaml\n([\s\S]*?)```/.exec(section(page, "## Several machines"))!;
	const { spec } = parse(yaml!);
	const [, count, fail] = spec.podFailurePolicy.rules;
	expect(count.onExitCodes.values).toEqual(expect.arrayContaining([8, 9, 75]));
	expect(fail.onExitCodes.values).toEqual([0, ...count.onExitCodes.values]);
});
