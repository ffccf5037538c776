import type { Failpoint } from "../../runtime/failpoint.ts";
import type { RunOptions, RunOutcome } from "../../runtime/migrate/run.ts";
import { ChildRun } from "./childRun.ts";
import type { SceneOptions } from "./migrateScene.ts";

/** A run in a process of its own. */
export class MigrateProcess extends ChildRun<RunOutcome> {
	constructor(uri: string, options: SceneOptions, run: RunOptions = {}, failpoint?: Failpoint) {
		super("migrateRun.ts", JSON.stringify({ options, run }), { HOLDFAST_TEST_TARGET: uri }, failpoint);
	}
}
