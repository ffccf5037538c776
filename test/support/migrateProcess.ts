import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Failpoint } from "../../runtime/failpoint.ts";
import type { RunOptions, RunOutcome } from "../../runtime/migrate/run.ts";
import type { SceneOptions } from "./migrateScene.ts";
import { root } from "./node.ts";
import { until } from "./until.ts";

export interface Ended {
	code: number | null;
	outcome?: RunOutcome;
	stderr: string;
}

const running = new Set<ChildProcess>();

/** Ends what a failed test left, also what it stopped. */
export function killLeftovers(): void {
	for (const child of running) child.kill("SIGKILL");
}

/** A run in a process of its own. */
export class MigrateProcess {
	readonly child: ChildProcess;
	readonly ended: Promise<Ended>;
	readonly #home = mkdtempSync(join(tmpdir(), "holdfast-run-"));

	constructor(uri: string, options: SceneOptions, run: RunOptions = {}, failpoint?: Failpoint) {
		const env = {
			...process.env,
			HOLDFAST_TEST_TARGET: uri,
			HOLDFAST_HOME: this.#home,
			...(failpoint && { HOLDFAST_FAILPOINT: failpoint }),
		};
		const file = join(root, "test/support/migrateRun.ts");
		this.child = spawn(process.execPath, [file, JSON.stringify({ options, run })], { cwd: root, env });
		running.add(this.child);
		this.ended = this.#end();
	}

	#end(): Promise<Ended> {
		let [stdout, stderr] = ["", ""];
		this.child.stdout!.on("data", (text) => {
			stdout += text;
		});
		this.child.stderr!.on("data", (text) => {
			stderr += text;
		});
		return new Promise((resolve) =>
			this.child.once("close", (code) => {
				running.delete(this.child);
				rmSync(this.#home, { recursive: true, force: true });
				resolve({ code, stderr, ...(stdout !== "" && { outcome: JSON.parse(stdout) }) });
			}),
		);
	}

	/** Until it hangs at its failpoint. */
	async hangs(): Promise<void> {
		const mark = join(this.#home, "failpoint");
		const gone = this.ended.then(({ stderr }) => {
			throw new Error(`it ended before its failpoint: ${stderr}`);
		});
		await Promise.race([until("the failpoint", 60_000, () => existsSync(mark)), gone]);
		gone.catch(() => {});
		expect(readFileSync(mark, "utf8")).toContain(`${this.child.pid} `);
	}

	async kill(): Promise<void> {
		this.child.kill("SIGKILL");
		await this.ended;
	}
}

/** Runs until a failpoint and is killed there, as the kernel would. */
export async function killedAt(uri: string, failpoint: Failpoint, options: SceneOptions, run: RunOptions = {}) {
	const process = new MigrateProcess(uri, options, run, failpoint);
	await process.hangs();
	await process.kill();
}
