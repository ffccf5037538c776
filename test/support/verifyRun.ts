// One verification in a process of its own: prints the report, exits as the command would.
import { codes, describe, HoldfastError } from "../../runtime/errors.ts";
import { type VerifyOptions, verifyMigration } from "../../runtime/migrate/verify.ts";
import { type VerifySceneOptions, verifyScene } from "./verifyScene.ts";

const { options, verify } = JSON.parse(process.argv[2]!) as { options: VerifySceneOptions; verify: VerifyOptions };
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());
const { declaration, parts } = verifyScene(options);
try {
	process.stdout.write(JSON.stringify(await verifyMigration(declaration, { ...verify, signal: stop.signal }, parts)));
} catch (error) {
	process.stderr.write(`${describe(error)}\n`);
	process.exitCode = error instanceof HoldfastError ? codes[error.code].exit : 1;
}
