import { HoldfastError } from "../errors.ts";
import { hostport } from "../platform/model.ts";
import type { RedisMemberInputs, RedisRetireInputs } from "./clusterArguments.ts";
import type { RedisRecord } from "./clusterRecord.ts";

type Members = Pick<RedisRetireInputs, "nodes" | "managers">;

/**
 * Refuses to move a member, before anything is staged: managers know nodes by their addresses, and the platform knows
 * processes by their ports. Only the address of a manager may change. HF_SETTING names the member.
 */
export function checkAddresses({ nodes, managers }: Members, record: Pick<RedisRecord, "nodes" | "managers">): void {
	for (const node of nodes) {
		const known = formerOf(node, record.nodes);
		if (known && hostport(known.address) !== hostport(node.address))
			throw moved(node, hostport(known.address), hostport(node.address), "address and ports.node");
	}
	for (const manager of managers) {
		const known = formerOf(manager, record.managers);
		if (known && known.address.port !== manager.address.port)
			throw moved(manager, `port ${known.address.port}`, `port ${manager.address.port}`, "ports.manager");
	}
}

const formerOf = ({ name }: RedisMemberInputs, known: readonly RedisMemberInputs[]): RedisMemberInputs | undefined =>
	known.find((member) => member.name === name);

const moved = ({ name }: RedisMemberInputs, from: string, to: string, setting: string): HoldfastError =>
	new HoldfastError("HF_SETTING", `${name} is at ${from}, not at ${to}: that cannot change`, {
		next: `restore ${setting}`,
	});
