import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { enableCompileCache } from "node:module";
import { userInfo } from "node:os";
import { basename, delimiter, dirname, join, resolve } from "node:path";
import { HoldfastError } from "../runtime/errors.ts";
import { home, privateFolder } from "../runtime/home.ts";

/** The checkout: npm runs scripts in it, and by hand it is found from this program's own path. */
export const root = resolve(dirname(process.argv[1] ?? "."), "..");

const compileCache = (): string => process.env.NODE_COMPILE_CACHE ?? join(home(), "compile-cache");

/** Half of a short command's time is compiling. It makes no folder that would not be there without it. */
export function keepCompiled(): void {
	if (existsSync(home())) enableCompileCache(compileCache());
}

/** Variables that make the plain Pulumi CLI work on this checkout: backend, passphrase, programs. */
export function pulumiEnvironment(): Record<string, string> {
	const at = home();
	return {
		// Our Node first: a program may lie in a folder of the system that has an older one.
		PATH: [join(root, "node_modules", ".bin"), ...toolFolders(), process.env.PATH ?? ""].join(delimiter),
		HOLDFAST_HOME: at,
		PULUMI_HOME: join(at, "pulumi"),
		PULUMI_BACKEND_URL: `file://${join(at, "state")}`,
		PULUMI_CONFIG_PASSPHRASE_FILE: join(at, "passphrase"),
		PULUMI_SKIP_UPDATE_CHECK: "true",
		// The CLI is built without cgo: for a uid without a passwd entry it finds a user's name nowhere else.
		USER: process.env.USER || userName(),
		PULUMI_DIY_BACKEND_GZIP: "false",
		// Lets `preview` keep Pulumi's event log, for hints beside the plain display.
		PULUMI_DEBUG_COMMANDS: "true",
		// Compiled code of the SDK and of ours, kept between runs: a quarter of the time of an `up` that changes nothing.
		NODE_COMPILE_CACHE: compileCache(),
	};
}

function userName(): string {
	try {
		return userInfo().username;
	} catch {
		return String(process.getuid?.());
	}
}

function toolFolders(): string[] {
	const record = join(home(), "tools.json");
	if (!existsSync(record)) throw new HoldfastError("HF_TOOL", "the programs are not set up yet", { next: "npm start" });
	const { tools } = JSON.parse(readFileSync(record, "utf8")) as { tools: Record<string, { path: string }> };
	return [...new Set(Object.values(tools).map(({ path }) => dirname(path)))];
}

/** Makes the backend's folder and the passphrase, once. Losing the passphrase loses every secret of the state. */
export async function ensureHome(): Promise<void> {
	await privateFolder(home());
	await mkdir(join(home(), "state"), { recursive: true, mode: 0o700 });
	const passphrase = join(home(), "passphrase");
	if (!existsSync(passphrase)) await refuseLostPassphrase(passphrase);
	try {
		await writeFile(passphrase, randomBytes(32).toString("base64url"), { mode: 0o600, flag: "wx" });
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
	}
}

/** A new passphrase would open nothing that the old one closed. */
async function refuseLostPassphrase(passphrase: string): Promise<void> {
	const stacks = await readdir(join(home(), "state", ".pulumi", "stacks", "holdfast")).catch(() => []);
	const closed = stacks.filter((file) => file.endsWith(".json")).map((file) => `stack ${basename(file, ".json")}`);
	if (closed.length === 0) return;
	throw new HoldfastError("HF_CREDENTIALS", `${passphrase} is gone, which opens the secrets of ${closed.join(", ")}`, {
		next: `restore that file; if it is lost, move ${join(home(), "state")} away and adopt what runs (docs/runbook.md)`,
	});
}

/** The stack's configuration, where Pulumi.yaml says. */
export const configFile = (stack: string): string => join(root, "stacks", "config", `Pulumi.${stack}.yaml`);
