import { clustersOf } from "../../runtime/clusters.ts";
import { HoldfastError } from "../../runtime/errors.ts";
import { switchover } from "../../runtime/postgres/switchover.ts";
import { requireStack } from "../pulumi.ts";

interface Options {
	stack: string;
	json: boolean;
	args: [string, string?];
}

/** Hands the leader's role over, and says who leads now. */
export async function run({ stack, json, args: [cluster, to] }: Options): Promise<void> {
	requireStack(stack);
	const known = (await clustersOf(stack)).filter(({ system }) => system === "postgres");
	const found = known.find(({ access }) => access.cluster === cluster);
	if (!found) {
		const names = known.map(({ access }) => access.cluster).join(", ") || "none";
		throw new HoldfastError("HF_USAGE", `stack ${stack} has no PostgreSQL cluster ${cluster}: ${names}`);
	}
	const done = await switchover(found.access, to);
	console.log(json ? JSON.stringify(done) : `${done.to} leads now; ${done.from} is its standby`);
}
