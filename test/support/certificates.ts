import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { IdentityInputs } from "../../runtime/tls/model.ts";

export const PASSPHRASE = "correct horse battery staple";

/** Inputs of one member of the cluster `db`, reached at 127.0.0.1 and localhost. */
export const identity = (change: Partial<IdentityInputs> = {}): IdentityInputs => ({
	cluster: "db",
	member: "db-0",
	hosts: ["127.0.0.1", "localhost"],
	services: ["postgres"],
	users: [],
	passphrase: PASSPHRASE,
	generation: 1,
	trusted: [1],
	epoch: "2026-01-01",
	days: 3650,
	...change,
});

/** Files in a folder of their own, as a member has them. */
export function certificateFolder(files: Record<string, string>): { path: (file: string) => string; remove(): void } {
	const folder = mkdtempSync(join(tmpdir(), "holdfast-tls-"));
	for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 });
	return { path: (file) => join(folder, file), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** What openssl prints; rejects, with its words, when it exits with another code than 0. */
export async function openssl(...args: string[]): Promise<string> {
	const { stdout } = await promisify(execFile)("openssl", args, { timeout: 20_000 });
	return stdout;
}
