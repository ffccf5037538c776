import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { HoldfastError } from "../../runtime/errors.ts";
import { isThere } from "../../runtime/files.ts";

/** Where the secret of a deterministic map is: never on the command line, never in the file that declares the map. */
export type SecretSource = { file: string } | { variable: string };

/** HF_SETTING when there is none, or others may read the file. */
export async function readSecret(source: SecretSource): Promise<string> {
	return "file" in source ? fromFile(source.file) : fromVariable(source.variable);
}

async function fromFile(path: string): Promise<string> {
	const found = await stat(path).catch(() => undefined);
	if (!found)
		throw new HoldfastError("HF_SETTING", `there is no secret in ${path}`, {
			next: "restore it; for the first build of a map, --generate-secret makes one",
		});
	if ((found.mode & 0o077) !== 0)
		throw new HoldfastError("HF_SETTING", `others than its owner may read or write the secret in ${path}`, {
			next: `chmod 600 ${path}`,
		});
	return (await readFile(path, "utf8")).replace(/\r?\n$/, "");
}

function fromVariable(name: string): string {
	const secret = process.env[name];
	if (secret !== undefined && secret !== "") return secret;
	throw new HoldfastError("HF_SETTING", `the environment variable ${name} has no secret`, {
		next: "set it, or use a secret file",
	});
}

/** Makes a secret of 256 bits, unless there is one. It is on disk before an id is made from it. */
export async function generateSecret(path: string): Promise<void> {
	if (await isThere(path)) return;
	await mkdir(dirname(path), { recursive: true });
	await writeFile(path, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600, flag: "wx", flush: true });
	const folder = await open(dirname(path), "r");
	try {
		await folder.sync();
	} finally {
		await folder.close();
	}
}
