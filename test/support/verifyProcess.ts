import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Failpoint } from "../../runtime/failpoint.ts";
import type { VerifyOptions, VerifyOutcome } from "../../runtime/migrate/verify.ts";
import { root } from "./node.ts";
import { until } from "./until.ts";
import type { VerifySceneOptions } from "./verifyScene.ts";

interface Ended {
	code: number | null;
	outcome?: VerifyOutcome;
	stderr: string;
}

/** A verification in a process of its own; the target is the one that HOLDFAST_TEST_TARGET names. */
export class VerifyProcess {
	readonly child: ChildProcess;
	readonly ended: Promise<Ended>;
	readonly #home = mkdtempSync(join(tmpdir(), "holdfast-verify-"));

	constructor(options: VerifySceneOptions, verify: VerifyOptions = {}, failpoint?: Failpoint) {
		const env = { ...process.env, HOLDFAST_HOME: this.#home, ...(failpoint && { HOLDFAST_FAILPOINT: failpoint }) };
		const words = [join(root, "test/support/verifyRun.ts"), JSON.stringify({ options, verify })];
		this.child = spawn(process.execPath, words, { cwd: root, env });
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
				rmSync(this.#home, { recursive: true, force: true });
				resolve({ code, stderr, ...(stdout !== "" && { outcome: JSON.parse(stdout) }) });
			}),
		);
	}

	/** Until it hangs at its failpoint; then kills it, as the kernel would. */
	async killedAtFailpoint(): Promise<void> {
		const gone = this.ended.then(({ stderr }) => {
			throw new Error(`it ended before its failpoint: ${stderr}`);
		});
		gone.catch(() => {});
		await Promise.race([until("the failpoint", 60_000, () => existsSync(join(this.#home, "failpoint"))), gone]);
		this.child.kill("SIGKILL");
		await this.ended;
	}
}
