import { readFile } from "node:fs/promises";
import { membershipHints } from "../runtime/mongo/hints.ts";
import type { ReplicaSetInputs } from "../runtime/mongo/model.ts";

interface Step {
	op: string;
	urn: string;
	diffs?: string[];
	new?: { inputs: Record<string, unknown> };
}

const typeOf = (urn: string): string => urn.split("::").at(-2)!.split("$").at(-1)!;
const MEMBER = "pulumi-nodejs:dynamic/platform:Member";
const REPLICA_SET = "pulumi-nodejs:dynamic/mongo:ReplicaSet";

/**
 * What a previewed change means for clusters that run: Pulumi sees properties, the runtime's planner knows restarts
 * and reconfigurations. `log` is Pulumi's event log of the preview.
 */
export async function hints(log: string): Promise<string[]> {
	const steps = (await readFile(log, "utf8"))
		.split("\n")
		.filter((line) => line !== "")
		.flatMap((line): Step[] => JSON.parse(line).resourcePreEvent?.metadata ?? [])
		.filter(({ op }) => op === "update");
	const sets = steps.filter(({ urn }) => typeOf(urn) === REPLICA_SET);
	const found = await Promise.all(sets.map((step) => ofReplicaSet(step, steps)));
	return found.flat();
}

async function ofReplicaSet({ diffs = [], new: next }: Step, steps: Step[]): Promise<string[]> {
	const inputs = next!.inputs as unknown as ReplicaSetInputs;
	const { cluster } = inputs.access;
	const changed = await membershipHints(inputs.access, inputs);
	const restarted = steps
		.filter(({ urn, new: member }) => typeOf(urn) === MEMBER && member?.inputs.cluster === cluster)
		.filter(({ diffs: what = [] }) => what.some((name) => name.startsWith("files") || name.startsWith("processes")))
		.map(({ new: member }) => String(member!.inputs.name));
	const rolls = diffs.includes("keyfile")
		? ["restart every member twice, one at a time: the new key beside the old one, then alone"]
		: [];
	if (restarted.length > 0)
		rolls.push(`restart ${restarted.sort().join(", ")} one at a time, the primary last after it stepped down`);
	return [...changed, ...rolls].map((what) => `${cluster}: ${what}`);
}
