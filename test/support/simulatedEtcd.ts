import { birthOf } from "../../runtime/etcd/identity.ts";
import type { DesiredVoters, EtcdMember, Machine, ObservedEtcd, Voter } from "../../runtime/etcd/state.ts";

/** What lies in a machine's `data/etcd`. */
interface Data {
	clusterId: string;
	memberId: string;
	/** Entries of the log that it has. */
	applied: number;
}

export interface SimulatedMachine {
	voter: Voter;
	/** Off, or cut off: nothing on it can be seen or started. */
	alive: boolean;
	running: boolean;
	data?: Data;
	/** Runs with an older configuration than what is staged. */
	stale: boolean;
	/** Peer address of the running process. */
	listens: string;
	/** Something without a write-ahead log lies in its folder. */
	partial: boolean;
	/** In how many ticks it catches up by one share. */
	slowness: number;
}

/** Of the real server: the reason a change was refused, or an answer that got lost. */
export class EtcdAnswer extends Error {}

const SHARE = 400;

/**
 * A cluster of etcds as the planner meets it: one true member list, machines with data, a log that grows. Refuses what
 * etcd 3.6 refuses; throws a plain Error where a step breaks what the planner promises.
 */
export class SimulatedEtcd {
	readonly machines: ReadonlyMap<string, SimulatedMachine>;
	members: EtcdMember[] = [];
	clusterId = "";
	leader = "";
	index = 0;
	/** Changes made so far. */
	changes = 0;
	/** Ids that ever had a log of their own. */
	readonly #promised = new Set<string>();
	#nextId = 1;

	constructor(voters: DesiredVoters) {
		const idle = { alive: true, running: false, stale: false, partial: false, slowness: 1 };
		const fresh = (voter: Voter) => ({ ...idle, voter, listens: voter.peerURL });
		this.machines = new Map(voters.map((voter) => [voter.name, fresh(voter)]));
	}

	at(name: string): SimulatedMachine {
		return this.machines.get(name)!;
	}

	machineOf(id: string): SimulatedMachine | undefined {
		return [...this.machines.values()].find(
			({ data, running, alive }) => alive && running && data?.memberId === id && data.clusterId === this.clusterId,
		);
	}

	/** Runs, where the others look for it. */
	#isUp(id: string): boolean {
		const machine = this.machineOf(id);
		if (machine && this.members.length === 1) return true;
		return machine !== undefined && this.members.some((m) => m.id === id && m.peerURLs.includes(machine.listens));
	}

	get voters(): EtcdMember[] {
		return this.members.filter(({ isLearner }) => !isLearner);
	}

	get hasQuorum(): boolean {
		return this.voters.filter(({ id }) => this.#isUp(id)).length > this.voters.length / 2;
	}

	/** Answers a linearizable read: a dead leader is replaced at the next tick only. */
	get serves(): boolean {
		return this.hasQuorum && this.leader !== "" && this.#isUp(this.leader);
	}

	/** Voters whose data still exists, whether they run or not. */
	get isRecoverable(): boolean {
		const having = this.voters.filter(({ id }) =>
			[...this.machines.values()].some(({ data }) => data?.memberId === id && data.clusterId === this.clusterId),
		);
		return having.length > this.voters.length / 2;
	}

	observe(names: readonly string[]): ObservedEtcd {
		const cluster =
			this.clusterId && this.serves
				? { clusterId: this.clusterId, members: structuredClone(this.members), leader: this.leader }
				: undefined;
		const up = this.members.filter(({ id }) => this.machineOf(id));
		const health = Object.fromEntries(up.map(({ id }) => [id, this.#healthOf(id)]));
		const seen = names.filter((name) => this.at(name).alive);
		return { cluster, health, machines: Object.fromEntries(seen.map((name) => [name, this.#machine(this.at(name))])) };
	}

	#healthOf(id: string) {
		const applied = this.machineOf(id)!.data!.applied;
		const leader = this.hasQuorum && this.#isUp(id) ? this.leader : "";
		return {
			...{ reachable: true, raftIndex: id === this.leader ? this.index : applied, raftAppliedIndex: applied },
			...{ raftTerm: 2, leader, dbSize: 20_480, errors: [] },
		};
	}

	#machine({ data, running, stale, partial }: SimulatedMachine): Machine {
		const answer = running && data ? { clusterId: data.clusterId, memberId: data.memberId } : undefined;
		const process = running ? "running" : data ? "stopped" : "held";
		const found = data ? "present" : partial ? "partial" : "none";
		return { data: found, process, pendingRestart: running && stale, answer };
	}

	#able(name: string): SimulatedMachine {
		const machine = this.at(name);
		if (!machine.alive) throw new EtcdAnswer(`${name} cannot be reached`);
		return machine;
	}

	seed(name: string, token: string): void {
		const machine = this.#able(name);
		if ([...this.machines.values()].some(({ data }) => data)) throw new Error("a second cluster beside data");
		const { clusterId, memberId } = birthOf(machine.voter.peerURL, token);
		if (this.clusterId && this.clusterId !== clusterId) throw new Error("a second cluster");
		this.clusterId = clusterId;
		const { peerURL, clientURL } = machine.voter;
		this.members = [{ id: memberId, name, peerURLs: [peerURL], clientURLs: [clientURL], isLearner: false }];
		this.#promised.add(memberId);
		this.#run(machine, { clusterId, memberId, applied: 1 });
		this.index = 1;
		this.#done();
	}

	start(name: string): void {
		const machine = this.#able(name);
		// Held by the platform: its folder vanished after the look.
		if (!machine.data) throw new EtcdAnswer(`${name} is held`);
		this.#run(machine);
		this.#done();
	}

	#run(machine: SimulatedMachine, data = machine.data): void {
		Object.assign(machine, { running: true, stale: false, partial: false, listens: machine.voter.peerURL, data });
	}

	join(name: string, id: string, initialCluster: string): void {
		const machine = this.#able(name);
		if (this.#promised.has(id)) throw new Error(`the old id ${id} starts on an empty folder`);
		// The platform starts a process that has data on it, whatever it was released with.
		if (machine.data) {
			this.start(name);
			return;
		}
		const urls = initialCluster.split(",").map((pair) => pair.slice(pair.indexOf("=") + 1));
		const listed = this.members.flatMap(({ peerURLs }) => peerURLs);
		if (!initialCluster.split(",").includes(`${name}=${machine.voter.peerURL}`))
			throw new EtcdAnswer("not in the list");
		if ([...urls].sort().join() !== [...listed].sort().join()) throw new EtcdAnswer("member count is unequal");
		this.#promised.add(id);
		this.#run(machine, { clusterId: this.clusterId, memberId: id, applied: 0 });
		this.#publish();
		this.#done();
	}

	/** Learners and voters that run tell their name and client address. */
	#publish(): void {
		if (!this.hasQuorum) return;
		for (const member of this.members) {
			const machine = this.machineOf(member.id);
			if (machine) Object.assign(member, { name: machine.voter.name, clientURLs: [machine.voter.clientURL] });
		}
	}

	#requireQuorum(): void {
		if (!this.serves) throw new EtcdAnswer("etcdserver: no leader");
	}

	add(peerURL: string): string {
		this.#requireQuorum();
		if (this.members.some(({ isLearner }) => isLearner)) throw new EtcdAnswer("too many learner members");
		if (this.members.some(({ peerURLs }) => peerURLs.includes(peerURL)))
			throw new EtcdAnswer("Peer URLs already exists");
		const up = this.voters.filter(({ id }) => this.#isUp(id)).length;
		const { length } = this.voters;
		if (length > 1 && up < Math.floor((length + 1) / 2) + 1) throw new EtcdAnswer("unhealthy cluster");
		const id = (0xa000 + this.#nextId++).toString(16);
		this.members.push({ id, name: "", peerURLs: [peerURL], clientURLs: [], isLearner: true });
		this.#done();
		return id;
	}

	#member(id: string): EtcdMember {
		this.#requireQuorum();
		const member = this.members.find((m) => m.id === id);
		if (!member) throw new EtcdAnswer("member not found");
		return member;
	}

	promote(id: string): void {
		const member = this.#member(id);
		const applied = this.machineOf(id)?.data?.applied ?? 0;
		if (applied < 0.9 * this.index) throw new EtcdAnswer("not in sync with leader");
		member.isLearner = false;
		this.#done();
	}

	remove(id: string): void {
		const member = this.#member(id);
		if (!member.isLearner) this.#checkRemoval(id);
		this.members = this.members.filter((m) => m.id !== id);
		if (this.leader === id) this.leader = "";
		this.#done();
	}

	#checkRemoval(id: string): void {
		const rest = this.voters.filter((voter) => voter.id !== id);
		if (rest.length === 0) throw new Error("the last voter is removed");
		const up = rest.filter((voter) => this.#isUp(voter.id)).length;
		if (up < Math.floor(rest.length / 2) + 1) throw new EtcdAnswer("unhealthy cluster");
	}

	update(id: string, peerURL: string): void {
		this.#member(id).peerURLs = [peerURL];
		this.#done();
	}

	moveLeader(to: string): void {
		this.#requireQuorum();
		if (!this.voters.some(({ id }) => id === to) || !this.#isUp(to)) throw new EtcdAnswer("bad leader transferee");
		this.leader = to;
		this.#done();
	}

	setAside(name: string): void {
		const machine = this.#able(name);
		Object.assign(machine, { running: false, data: undefined, partial: false });
		this.#done();
	}

	restart(name: string): void {
		this.start(name);
	}

	#done(): void {
		this.changes++;
	}

	/** Elections, replication, ends of members that were removed; the log grows by itself. */
	tick(): void {
		for (const machine of this.machines.values()) {
			const { data, running } = machine;
			if (running && data?.clusterId === this.clusterId && !this.members.some(({ id }) => id === data.memberId))
				machine.running = !this.hasQuorum;
		}
		const up = this.voters.filter(({ id }) => this.#isUp(id));
		if (!this.hasQuorum) this.leader = "";
		else if (!up.some(({ id }) => id === this.leader)) this.leader = up[0]!.id;
		if (!this.leader) return;
		this.index += 5;
		this.#publish();
		for (const { id } of this.members) {
			const machine = this.#isUp(id) ? this.machineOf(id) : undefined;
			if (!machine?.data) continue;
			machine.data.applied = Math.min(this.index, machine.data.applied + SHARE / machine.slowness);
		}
	}
}
