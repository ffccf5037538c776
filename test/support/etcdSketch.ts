import type { EtcdRecord } from "../../runtime/etcd/record.ts";
import type { EtcdHealth, EtcdMember, Machine, ObservedEtcd } from "../../runtime/etcd/state.ts";
import { voter } from "./simulatedEtcdRun.ts";

export interface Sketch extends Partial<EtcdMember> {
	name: string;
	/** What it says; `undefined` when it does not answer. */
	health?: Partial<EtcdHealth> | undefined;
	machine?: Partial<Machine> | undefined;
	/** Not in the member list: only the machine. */
	unlisted?: boolean;
}

export const CLUSTER = "c1";
export const idOf = (name: string): string => `id-${name}`;

/** A look at a cluster whose first member leads, and at machines as they would be, unless the sketch says otherwise. */
export function seen(sketches: Sketch[], changes: Partial<ObservedEtcd> = {}): ObservedEtcd {
	const listed = sketches.filter(({ unlisted }) => !unlisted);
	const members = listed.map(({ health: _h, machine: _m, unlisted: _u, ...member }) => {
		const { peerURL, clientURL } = voter(member.name);
		const entry = { id: idOf(member.name), peerURLs: [peerURL], clientURLs: [clientURL], isLearner: false };
		return { ...entry, ...member };
	});
	const leader = members[0]?.id ?? "";
	const well = { reachable: true, raftIndex: 1000, raftAppliedIndex: 1000, raftTerm: 2, leader, dbSize: 1, errors: [] };
	const health = listed.flatMap((sketch, i) =>
		"health" in sketch && !sketch.health ? [] : [[members[i]!.id, { ...well, ...sketch.health }] as const],
	);
	const machines = sketches.flatMap((sketch): [string, Machine][] => {
		if ("machine" in sketch && !sketch.machine) return [];
		const idle = { data: "none" as const, process: "held" as const, pendingRestart: false };
		const id = members.find(({ name }) => name === sketch.name)?.id ?? "";
		const busy = { data: "present" as const, process: "running" as const, pendingRestart: false };
		const answer = "health" in sketch && !sketch.health ? undefined : { clusterId: CLUSTER, memberId: id };
		return [[sketch.name, { ...(sketch.unlisted ? idle : { ...busy, answer }), ...sketch.machine }]];
	});
	return {
		cluster: { clusterId: CLUSTER, members, leader },
		health: Object.fromEntries(health),
		machines: Object.fromEntries(machines),
		...changes,
	};
}

export const wish = (...names: string[]) => names.map((name) => voter(name));

/** What is remembered of these voters. */
export const known = (names: readonly string[], changes: Partial<EtcdRecord> = {}): EtcdRecord => ({
	...{ token: "pg-1", clusterId: CLUSTER, seed: names[0] ?? "", formed: true, endpoints: [] },
	ids: Object.fromEntries(names.map((name) => [name, [{ id: idOf(name), started: true }]])),
	voters: names.map(idOf),
	...changes,
});
