// One run of a migration in a process of its own: prints what it came to, exits as the command would.
import { codes, describe, HoldfastError } from "../../runtime/errors.ts";
import { type RunOptions, runMigration } from "../../runtime/migrate/run.ts";
import { type SceneOptions, scene } from "./migrateScene.ts";

const { options, run } = JSON.parse(process.argv[2]!) as { options: SceneOptions; run: RunOptions };
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());
const { declaration, parts } = scene(options);
try {
	const outcome = await runMigration(declaration, { ...run, signal: stop.signal }, parts);
	process.stdout.write(`${JSON.stringify(outcome)}\n`);
} catch (error) {
	process.stderr.write(`${describe(error)}\n`);
	process.exitCode = error instanceof HoldfastError ? codes[error.code].exit : 1;
}
