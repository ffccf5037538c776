import type { z } from "zod";
import { HoldfastError } from "../errors.ts";
import type { patroniArgumentsSchema } from "./arguments.ts";
import { checkDurability, type Durability, defaultDurability } from "./durability.ts";
import { type Timing, timing } from "./profile.ts";

type Declared = z.output<typeof patroniArgumentsSchema>;
export type Voters = 1 | 3 | 5;

/** What a program says about a Patroni cluster, with everything that follows from it. */
export type PatroniSettings = Omit<Declared, "voters" | "durability" | keyof Timing> &
	Timing & { voters: Voters; durability: Durability };

/** Completes declared arguments. Throws HF_SETTING, naming the setting, for what no cluster can be. */
export function patroniSettings(declared: Declared): PatroniSettings {
	const { members, profile, synchronousNodeCount } = declared;
	const voters = declared.voters ?? (members >= 3 ? 3 : 1);
	if (voters > members) {
		throw new HoldfastError("HF_SETTING", `voters is ${voters}, but members is ${members}: etcd runs beside members`, {
			next: `lower voters, or declare at least ${voters} members`,
		});
	}
	const durability = declared.durability ?? defaultDurability(members);
	checkDurability(durability, members, synchronousNodeCount);
	checkPorts(declared);
	checkRoles(declared);
	return { ...declared, ...timing(profile, declared), voters, durability };
}

function checkPorts({ ports, members }: Declared): void {
	for (let slot = 0; slot < members; slot++) {
		const used = new Map<number, string>();
		for (const [name, port] of Object.entries(portsOf(ports, slot))) {
			const other = used.get(port);
			if (other === undefined) used.set(port, name);
			else
				throw new HoldfastError("HF_SETTING", `ports.${other} and ports.${name} meet at port ${port} of slot ${slot}`);
		}
	}
}

/** Ports of a slot. The two of etcd step by 2, so that their usual bases, one apart, never meet. */
export function portsOf({ postgres, patroni, etcdClient, etcdPeer }: Declared["ports"], slot: number) {
	return {
		postgres: postgres + slot,
		patroni: patroni + slot,
		etcdClient: etcdClient + 2 * slot,
		etcdPeer: etcdPeer + 2 * slot,
	};
}

function checkRoles({ superuser, replicationUser, rewindUser }: Declared): void {
	const roles = Object.entries({ superuser, replicationUser, rewindUser });
	for (const [i, [setting, name]] of roles.entries()) {
		const twin = roles.slice(0, i).find(([, other]) => other === name);
		if (twin)
			throw new HoldfastError("HF_SETTING", `${twin[0]} and ${setting} are both "${name}": each needs its own role`);
	}
}
