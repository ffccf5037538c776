import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parse, stringify } from "yaml";
import { type Canaries, ProcessWatch, tellingFiles, told } from "./canaries.ts";
import { root } from "./node.ts";
import type { Result, TestStack } from "./stack.ts";

/** A stack whose secrets are all known here, so that everything it leaves, prints and starts can be searched for them. */
export class WatchedStack {
	readonly stack: TestStack;
	/** All secrets that ever were, by name: what a text is searched for, the whole secret or its random part. */
	readonly canaries: Record<string, string> = {};
	/** What every command printed. */
	readonly printed: Record<string, string> = {};
	readonly watch = new ProcessWatch();
	readonly #scratch = mkdtempSync(join(tmpdir(), "holdfast-scratch-"));

	constructor(stack: TestStack) {
		this.stack = stack;
		// Whatever temporary files it makes lie inside its home, where they are searched, too.
		mkdirSync(join(stack.home, "tmp"), { mode: 0o700 });
	}

	/** A command whose words are not kept. */
	async run(args: readonly string[], input = ""): Promise<Result> {
		const { env, name, home } = this.stack;
		const command = ["scripts/holdfast.ts", ...args, "--stack", name];
		const child = spawn(process.execPath, command, { cwd: root, env: { ...env, TMPDIR: join(home, "tmp") } });
		child.stdin.end(input);
		const code = new Promise<number>((resolve) => child.once("close", (status) => resolve(status ?? 255)));
		const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
		return { code: await code, stdout, stderr };
	}

	async kept(...args: string[]): Promise<Result> {
		const result = await this.run(args);
		this.printed[`${Object.keys(this.printed).length} ${args.join(" ")}`] = result.stdout + result.stderr;
		return result;
	}

	async must(...args: string[]): Promise<Result> {
		const result = await this.kept(...args);
		if (result.code === 0) return result;
		throw new Error(`${args.join(" ")} exited ${result.code}\n${result.stdout}\n${result.stderr}`);
	}

	/** As the documentation says: from standard input, encrypted into the stack's configuration. `core` is what is searched. */
	async give(path: string, value: string, core = value): Promise<void> {
		if (!Object.values(this.canaries).includes(core))
			this.canaries[`given ${path.split(".").at(-1)} ${Object.keys(this.canaries).length}`] = core;
		const set = ["pulumi", "config", "set", "--secret", "--path", `holdfast:secrets.${path}`];
		const { code, stderr } = await this.run(set, value);
		if (code !== 0) throw new Error(`config set ${path}: ${stderr}`);
	}

	/** Changes the settings of a system without losing the secrets that lie beside them. */
	configure(system: string, change: (settings: Record<string, unknown>) => void): void {
		const configuration = parse(readFileSync(this.stack.config, "utf8"));
		change(configuration.config[`holdfast:${system}`]);
		writeFileSync(this.stack.config, stringify(configuration));
	}

	/** Remembers the secrets that exist now and that nobody gave; by the one command that is meant to show them. */
	async collect(): Promise<string> {
		const { stdout } = await this.run(["pulumi", "stack", "export", "--show-secrets"]);
		const { deployment } = JSON.parse(stdout) as {
			deployment: { resources: { urn: string; outputs?: { value?: { plaintext: string } } }[] };
		};
		for (const { urn, outputs } of deployment.resources) {
			if (!urn.includes("secret:Secret::") || outputs?.value === undefined) continue;
			const value = JSON.parse(outputs.value.plaintext) as string;
			if (!Object.values(this.canaries).some((known) => value.includes(known)))
				this.canaries[`${urn.split("::").at(-1)} ${Object.keys(this.canaries).length}`] = value;
		}
		return stdout;
	}

	/** Names of the secrets that a text gives away. */
	told = (words: string, canaries: Canaries = this.canaries): string[] => told(words, canaries);

	/** Files of the stack that give secrets away: path in its home -> names. */
	files(): Record<string, string[]> {
		return tellingFiles(this.stack.home, this.canaries, this.#scratch);
	}

	/**
	 * Processes that gave secrets away: `program` names what Pulumi's own program was told (the given secrets, by its
	 * environment, for seconds, readable by its owner alone), `others` everything else.
	 */
	processes(): { program: string[]; others: string[] } {
		const telling = this.watch.telling(this.canaries);
		const isProgram = (what: string) => /^environment of \S+ \S+\/@pulumi\/pulumi\/cmd\/run\//.test(what);
		const all = Object.keys(telling);
		return {
			program: [...new Set(all.filter(isProgram).flatMap((what) => telling[what]!))],
			others: all.filter((what) => !isProgram(what)),
		};
	}

	/** Every secret that exists is collected and found where all are shown, which the passphrase is not; their names. */
	async expectAllFound(): Promise<string[]> {
		const all = await this.collect();
		const names = Object.keys(this.canaries);
		this.canaries.passphrase = readFileSync(join(this.stack.home, "passphrase"), "utf8");
		expect(this.told(all).sort()).toEqual(names.toSorted());
		return names;
	}

	/** More than `count` commands were kept, and none printed a secret. */
	expectNonePrinted(count: number): void {
		expect(Object.keys(this.printed).length).toBeGreaterThan(count);
		for (const [command, words] of Object.entries(this.printed))
			expect([command, this.told(words)]).toEqual([command, []]);
	}

	/** Files that hold secrets are their owner's alone, and the stack's configuration holds encrypted ones only. */
	expectPrivate(files: readonly string[]): void {
		for (const file of files) expect([file, statSync(join(this.stack.home, file)).mode & 0o777]).toEqual([file, 0o600]);
		const configuration = readFileSync(this.stack.config, "utf8");
		expect(this.told(configuration)).toEqual([]);
		expect(configuration).toContain("secure:");
	}

	/** All of `programs` were seen, and no process had a secret, but for the given ones that Pulumi's program is told. */
	expectNoneInProcesses(programs: readonly string[]): void {
		expect(this.watch.rounds).toBeGreaterThan(100);
		const commands = [...this.watch.seen.keys()].join("\n");
		for (const program of programs) expect(commands).toContain(program);
		const { program, others } = this.processes();
		expect(others).toEqual([]);
		expect(program.filter((name) => !name.startsWith("given"))).toEqual([]);
	}

	/** Takes the stack down: its folder is gone, and of all secrets the passphrase alone is left. */
	async expectNoneLeft(): Promise<void> {
		const { name, home } = this.stack;
		const { stdout, stderr } = await this.must("down", "--delete-data", name);
		expect(existsSync(join(home, name))).toBe(false);
		expect(Object.keys(this.files())).toEqual(["passphrase"]);
		expect(this.told(stdout + stderr)).toEqual([]);
	}

	close(): void {
		this.watch.stop();
		rmSync(this.#scratch, { recursive: true });
	}
}
