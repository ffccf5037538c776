// One run of a migration of objects in a process of its own; exits as the command would.
import { codes, describe, HoldfastError } from "../../runtime/errors.ts";
import { runMigration } from "../../runtime/migrate/run.ts";
import { objectParts, objectsDeclaration } from "./objectScene.ts";

const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());
try {
	await runMigration(objectsDeclaration(process.argv[2] as string), { signal: stop.signal }, objectParts);
} catch (error) {
	process.stderr.write(`${describe(error)}\n`);
	process.exitCode = error instanceof HoldfastError ? codes[error.code].exit : 1;
}
