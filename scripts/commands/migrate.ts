import { HoldfastError } from "../../runtime/errors.ts";
import { type Migration, migrationSchema } from "../../runtime/migrate/model.ts";
import { beside, readDeclaration } from "../declarationFile.ts";
import { type MigrateOptions, parseOptions, type Words } from "../migrate/options.ts";

type Verb = (declaration: Migration, options: MigrateOptions) => Promise<number>;

/** Each verb's module is loaded when it is asked for. */
const verbs: Record<string, () => Promise<Verb>> = {
	plan: async () => (await import("../migrate/plan.ts")).plan,
	run: async () => (await import("../migrate/run.ts")).run,
	resume: async () => (await import("../migrate/run.ts")).resume,
	verify: async () => (await import("../migrate/verify.ts")).verify,
	status: async () => (await import("../migrate/status.ts")).status,
	"retry-dead-letters": async () => (await import("../migrate/run.ts")).retry,
};

/** Exit codes stand in docs/migrate.md: 75, 8 and 9 are worth another try, the others are final. */
export async function run({ args: [verb, file], ...words }: Words & { args: [string, string?] }): Promise<number> {
	const found = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
	if (!found) throw new HoldfastError("HF_USAGE", `there is no migrate ${verb}: ${Object.keys(verbs).join(", ")}`);
	const options = parseOptions(words);
	if (verb === "verify" && file === undefined && options.check !== undefined)
		return (await import("../migrate/check.ts")).check(options);
	if (file === undefined) throw new HoldfastError("HF_USAGE", `migrate ${verb} needs a file that declares a migration`);
	return (await found())(await declarationIn(file), options);
}

async function declarationIn(file: string): Promise<Migration> {
	const declaration = await readDeclaration(file, migrationSchema);
	return { ...declaration, idMap: { ...declaration.idMap, location: beside(file, declaration.idMap.location) } };
}
