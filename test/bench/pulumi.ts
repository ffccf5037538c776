import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { pulumiEnvironment } from "../../scripts/environment.ts";
import type { TestStack } from "../support/stack.ts";

/** Plain `pulumi up` of a stack whose home HOLDFAST_HOME names; throws what Pulumi said when it fails. */
export const pulumiUp = (stack: TestStack) =>
	promisify(execFile)("pulumi", ["up", "--yes", "--skip-preview", "--stack", stack.name], {
		env: { ...process.env, ...pulumiEnvironment() },
		maxBuffer: 2 ** 26,
	});
