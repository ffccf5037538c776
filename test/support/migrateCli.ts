import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { root } from "./node.ts";

export interface Said {
	code: number | null;
	stdout: string;
	stderr: string;
}

/** A folder with declarations, and the command as it ships, given from that folder. */
export class MigrateCli {
	readonly folder = mkdtempSync(join(tmpdir(), "holdfast-cli-"));
	readonly #env: NodeJS.ProcessEnv;

	constructor(env: NodeJS.ProcessEnv = {}) {
		const { INIT_CWD: _, DATASTORE_EMULATOR_HOST: _d, ...own } = process.env;
		this.#env = { ...own, HOLDFAST_HOME: join(this.folder, "home"), ...env };
	}

	write(file: string, content: object | string): string {
		writeFileSync(join(this.folder, file), typeof content === "string" ? content : stringify(content));
		return file;
	}

	start(...words: string[]) {
		return this.#spawn(this.folder, this.#env, words);
	}

	#spawn(cwd: string, env: NodeJS.ProcessEnv, words: string[]): { child: ChildProcess; ended: Promise<Said> } {
		const child = spawn(process.execPath, [join(root, "scripts/holdfast.ts"), "migrate", ...words], { cwd, env });
		const said: Said = { code: null, stdout: "", stderr: "" };
		child.stdout.on("data", (text) => {
			said.stdout += text;
		});
		child.stderr.on("data", (text) => {
			said.stderr += text;
		});
		return { child, ended: new Promise((resolve) => child.once("close", (code) => resolve({ ...said, code }))) };
	}

	/** As npm does: from the checkout, with a note of where the command was given. */
	runByNpm(...words: string[]): Promise<Said> {
		return this.#spawn(root, { ...this.#env, INIT_CWD: this.folder }, words).ended;
	}

	run(...words: string[]): Promise<Said> {
		return this.start(...words).ended;
	}

	remove(): void {
		rmSync(this.folder, { recursive: true, force: true });
	}
}
