import { HoldfastError } from "../errors.ts";
import { ETCD_EVIDENCE, ETCD_FILE } from "../etcd/config.ts";
import { type Address, FOLDER, type ProcessSpec } from "../platform/model.ts";
import { PATRONI_FOLDER } from "./patroniYml.ts";
import { orphanPatience } from "./profile.ts";
import { type PatroniSettings, portsOf, type Voters } from "./settings.ts";

/** Slots that carry an etcd, voting or held: a cluster has at most 5 voters. */
export const ETCD_SLOTS = 5;
export const GUARD_FILE = "conf/guard/guard.sh";

export interface MemberAddresses {
	postgres: Address;
	patroni: Address;
	etcdClient: Address;
	etcdPeer: Address;
}

export interface PatroniMember {
	slot: number;
	/** `<cluster>-<slot>`. */
	name: string;
	/** Whether its etcd votes. */
	voter: boolean;
	addresses: MemberAddresses;
	/** In start order. */
	processes: ProcessSpec[];
}

export interface PatroniTopology {
	/** In slot order. */
	members: PatroniMember[];
	/** etcd's client addresses for a member: its own first where it votes. */
	etcdFor: (slot: number) => Address[];
	/** What the operator should know about the outcome; shown in preview. */
	notes: string[];
}

/**
 * Who runs what where. `cluster` is the stem of the members' names, `hosts` their addresses by slot. Throws HF_SETTING for
 * names that cannot be told apart.
 */
export function patroniTopology(cluster: string, settings: PatroniSettings, hosts: readonly string[]): PatroniTopology {
	const slots = [...Array(settings.members).keys()];
	const members = slots.map((slot): PatroniMember => {
		const addresses = memberAddresses(settings.ports, slot, hosts[slot]!);
		const voter = slot < settings.voters;
		return { slot, name: `${cluster}-${slot}`, voter, addresses, processes: processes(slot, addresses, settings) };
	});
	const [problem] = memberNameProblems(members.map(({ name }) => name));
	if (problem) throw new HoldfastError("HF_SETTING", problem, { next: "choose another name" });
	const voters = members.filter(({ voter }) => voter);
	const etcdFor = (slot: number) =>
		[...voters.filter((one) => one.slot === slot), ...voters.filter((one) => one.slot !== slot)].map(
			({ addresses }) => addresses.etcdClient,
		);
	return { members, etcdFor, notes: notesOf(members, settings) };
}

export function memberAddresses(ports: PatroniSettings["ports"], slot: number, host: string): MemberAddresses {
	const { postgres, patroni, etcdClient, etcdPeer } = portsOf(ports, slot);
	const at = (port: number): Address => ({ host, port });
	return { postgres: at(postgres), patroni: at(patroni), etcdClient: at(etcdClient), etcdPeer: at(etcdPeer) };
}

function processes(slot: number, addresses: MemberAddresses, settings: PatroniSettings): ProcessSpec[] {
	const { build, version, tls } = settings;
	const patience = String(orphanPatience(settings));
	const etcd: ProcessSpec = {
		name: "etcd",
		program: "etcd",
		args: ["--config-file", `${FOLDER}/${ETCD_FILE}`],
		port: addresses.etcdClient.port,
		ports: [addresses.etcdPeer.port],
		held: { evidence: ETCD_EVIDENCE },
	};
	return [
		...(slot < ETCD_SLOTS ? [etcd] : []),
		{ name: "guard", program: "guard", args: [`${FOLDER}/${GUARD_FILE}`, FOLDER, patience] },
		{
			...{ name: "patroni", program: "patroni", args: [`${FOLDER}/${PATRONI_FOLDER}`] },
			...{ port: addresses.patroni.port, ports: [addresses.postgres.port], held: {} },
			finds: { postgres: { build: build ?? String(version), tls: tls !== undefined } },
		},
	];
}

/** What is wrong with a list of members' names, whoever wrote it: tools that look for `pg-1` must not find `pg-10`. */
export function memberNameProblems(names: readonly string[]): string[] {
	const problems: string[] = [];
	for (const [i, name] of names.entries()) {
		if (name.length > 63) problems.push(`member name ${name} has more than 63 characters: PostgreSQL cuts it`);
		const twin = names.find((other, j) => (j < i && other === name) || (other !== name && other.startsWith(name)));
		if (twin === name) problems.push(`two members are named ${name}`);
		else if (twin !== undefined) problems.push(`member name ${name} begins ${twin}: they cannot be told apart safely`);
	}
	return problems;
}

function notesOf(members: readonly PatroniMember[], settings: PatroniSettings): string[] {
	const [first, second] = members;
	const { durability } = settings;
	if (!second) {
		const none = durability === "async" ? [] : [`durability ${durability} has no effect with 1 member`];
		return [`${first!.name} is the only member: nobody takes over when it fails`, ...none];
	}
	return [
		...voterNotes(members, settings.voters),
		...(durability === "async" ? [asyncNote(settings)] : members.length === 2 ? [pairNote(settings)] : []),
	];
}

function voterNotes(members: readonly PatroniMember[], voters: Voters): string[] {
	const names = members.slice(0, voters).map(({ name }) => name);
	if (voters > 1) return [];
	return [`etcd runs on ${names[0]} only: while that member is down, nobody takes over and the others only read`];
}

const asyncNote = ({ maximumLagOnFailover, ttl }: PatroniSettings): string =>
	`durability async: a failover can lose ${maximumLagOnFailover} bytes of acknowledged writes and what was written in the last ${ttl} s`;

function pairNote({ durability, ttl, loopWait }: PatroniSettings): string {
	const lost = "when one of 2 members is down, the other's writes";
	return durability === "strict"
		? `durability strict: ${lost} wait until it is back`
		: `durability ${durability}: ${lost} wait up to ${ttl + loopWait} s, then go on without a second copy until it is back`;
}
