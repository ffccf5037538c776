import type { Failpoint } from "../../runtime/failpoint.ts";
import type { VerifyOptions, VerifyOutcome } from "../../runtime/migrate/verify.ts";
import { ChildRun } from "./childRun.ts";
import type { VerifySceneOptions } from "./verifyScene.ts";

/** A verification in a process of its own; the target is the one that HOLDFAST_TEST_TARGET names. */
export class VerifyProcess extends ChildRun<VerifyOutcome> {
	constructor(options: VerifySceneOptions, verify: VerifyOptions = {}, failpoint?: Failpoint) {
		super("verifyRun.ts", JSON.stringify({ options, verify }), {}, failpoint);
	}
}
