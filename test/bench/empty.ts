import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { pulumiEnvironment } from "../../scripts/environment.ts";

const run = promisify(execFile);

/** A Pulumi program that declares nothing, on the backend of `home`: what Pulumi itself costs. */
export function emptyProgram(home: string) {
	const folder = mkdtempSync(join(tmpdir(), "holdfast-empty-"));
	mkdirSync(join(home, "state"), { recursive: true });
	writeFileSync(join(home, "passphrase"), "an empty program's passphrase", { flag: "a" });
	writeFileSync(join(folder, "Pulumi.yaml"), readFileSync("Pulumi.yaml", "utf8").replace(/^stackConfigDir.*$/m, ""));
	writeFileSync(join(folder, "package.json"), '{"type":"module","main":"index.mjs"}');
	writeFileSync(join(folder, "index.mjs"), "export default async () => ({});\n");
	symlinkSync(join(process.cwd(), "node_modules"), join(folder, "node_modules"));
	const env = { ...process.env, ...pulumiEnvironment() };
	const pulumi = (...args: string[]) => run("pulumi", args, { cwd: folder, env });
	return {
		init: () => pulumi("stack", "init", "empty", "--secrets-provider", "passphrase"),
		preview: () => pulumi("preview", "--stack", "empty"),
		up: () => pulumi("up", "--yes", "--skip-preview", "--stack", "empty"),
		clean: () => rmSync(folder, { recursive: true }),
	};
}
