import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";

/**
 * Where everything of this checkout lives: `HOLDFAST_HOME`, else `.holdfast` in the working directory
 * (Pulumi runs providers in the project's folder). Holds the Pulumi backend, the passphrase and one folder a stack.
 */
export function home(): string {
	return resolve(process.env.HOLDFAST_HOME || ".holdfast");
}

/** `<home>/<stack>`: members, cluster records, supervisord and locks of one stack. */
export function stackFolder(stack: string): string {
	return join(home(), stack);
}

/** Makes a folder that only its owner can enter, with its parents. */
export async function privateFolder(path: string): Promise<string> {
	await mkdir(path, { recursive: true, mode: 0o700 });
	return path;
}
