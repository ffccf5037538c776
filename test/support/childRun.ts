import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Failpoint } from "../../runtime/failpoint.ts";
import { root } from "./node.ts";
import { until } from "./until.ts";

export interface Ended<T> {
	code: number | null;
	/** What it printed, if anything. */
	outcome?: T;
	stderr: string;
}

const running = new Set<ChildProcess>();

/** Ends what a failed test left, also what it stopped. */
export function killLeftovers(): void {
	for (const child of running) child.kill("SIGKILL");
}

/** A program of test/support in a process of its own, with a home of its own, which prints its outcome as JSON. */
export class ChildRun<T> {
	readonly child: ChildProcess;
	readonly ended: Promise<Ended<T>>;
	readonly #home = mkdtempSync(join(tmpdir(), "holdfast-run-"));

	constructor(program: string, input: string, more: NodeJS.ProcessEnv = {}, failpoint?: Failpoint) {
		const env = {
			...{ ...process.env, HOLDFAST_HOME: this.#home, ...more },
			...(failpoint && { HOLDFAST_FAILPOINT: failpoint }),
		};
		this.child = spawn(process.execPath, [join(root, "test/support", program), input], { cwd: root, env });
		running.add(this.child);
		this.ended = this.#end();
	}

	#end(): Promise<Ended<T>> {
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
		gone.catch(() => {});
		await Promise.race([until("the failpoint", 60_000, () => existsSync(mark)), gone]);
		expect(readFileSync(mark, "utf8")).toContain(`${this.child.pid} `);
	}

	/** Waits until it hangs at its failpoint, and kills it there, as the kernel would. */
	async killedAtFailpoint(): Promise<void> {
		await this.hangs();
		await this.kill();
	}

	async kill(): Promise<void> {
		this.child.kill("SIGKILL");
		await this.ended;
	}
}
