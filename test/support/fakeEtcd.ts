import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { decimalId } from "../../runtime/etcd/identity.ts";
import type { EtcdMember, Voter } from "../../runtime/etcd/state.ts";
import type { Host, MemberStatus } from "../../runtime/platform/host.ts";
import { EtcdAnswer, SimulatedEtcd } from "./simulatedEtcd.ts";

/** What is read of the requests. */
interface Body {
	ID?: string;
	peerURLs?: string[];
	targetID?: string;
	key?: string;
	success?: { request_put: { value: string; lease: string } }[];
}

/** A simulated etcd behind real HTTP gateways on loopback, and the platform that its machines run on. */
export class FakeEtcd {
	etcd!: SimulatedEtcd;
	/** What was asked of the gateways and of the platform, in order; looks left out. */
	readonly calls: string[] = [];
	/** `path` of calls whose effect happens and whose answer gets lost, each once. */
	readonly lost = new Set<string>();
	/** Owner of the membership lock. */
	lock: { value: string; lease: string } | undefined;
	/** Texts of the machines' files, `name/path`. */
	readonly files = new Map<string, string>();
	/** Of the snapshot that is served. */
	readonly database = Buffer.alloc(100_000, "etcd");
	/** The last byte of the snapshot's hash is wrong. */
	damaged = false;
	#leases = 0;
	readonly #servers: Server[] = [];
	voters: Voter[] = [];

	async open(count: number): Promise<this> {
		for (let slot = 0; slot < count; slot++) {
			const name = `pg-${slot}`;
			const server = createServer((request, response) => {
				const chunks: Buffer[] = [];
				request.on("data", (chunk) => chunks.push(chunk));
				request.on("end", () => {
					const path = request.url!.replace("/v3/", "");
					try {
						const text = this.#answer(name, path, JSON.parse(Buffer.concat(chunks).toString()));
						if (text === undefined || this.lost.delete(path)) request.socket.destroy();
						else response.end(text);
					} catch (error) {
						const message = error instanceof EtcdAnswer ? `etcdserver: ${error.message}` : String(error);
						response.statusCode = 400;
						response.end(JSON.stringify({ code: error instanceof EtcdAnswer ? 9 : 3, message }));
					}
					this.etcd.tick();
				});
			});
			await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
			this.#servers.push(server);
			const { port } = server.address() as AddressInfo;
			const clientURL = `http://127.0.0.1:${port}`;
			this.voters.push({ name, clientURL, peerURL: `http://127.0.0.1:${port + 20_000}` });
			this.files.set(`${name}/conf/etcd/etcd.yml`, `name: ${name}\ninitial-cluster-state: existing\n`);
		}
		this.etcd = new SimulatedEtcd(this.voters);
		return this;
	}

	async close(): Promise<void> {
		for (const server of this.#servers) {
			server.closeAllConnections();
			await new Promise((done) => server.close(done));
		}
	}

	/** `undefined`: nobody is there. */
	#answer(name: string, path: string, body: Body): string | undefined {
		const machine = this.etcd.at(name);
		if (!machine.running || !machine.alive || !machine.data) return undefined;
		if (!["maintenance/status", "cluster/member/list"].includes(path)) this.calls.push(`${path} ${name}`);
		const { clusterId, memberId } = machine.data;
		const header = { cluster_id: decimalId(clusterId), member_id: decimalId(memberId) };
		if (path === "maintenance/snapshot") return this.#snapshot();
		return JSON.stringify({ header, ...this.#reply(name, path, body) });
	}

	#reply(name: string, path: string, body: Body): object {
		const { etcd } = this;
		const id = body.ID === undefined ? "" : BigInt(body.ID).toString(16);
		if (path === "maintenance/status") return this.#status(name);
		if (path.startsWith("kv/") || path.startsWith("lease/")) return this.#keys(path, body);
		if (!etcd.serves) throw new EtcdAnswer("no leader");
		if (path === "cluster/member/list") return { members: etcd.members.map(gatewayMember) };
		if (path === "cluster/member/add") {
			const added = etcd.add(body.peerURLs![0]!);
			return { member: gatewayMember(etcd.members.find((member) => member.id === added)!) };
		}
		if (path === "cluster/member/promote") etcd.promote(id);
		else if (path === "cluster/member/remove") etcd.remove(id);
		else if (path === "cluster/member/update") etcd.update(id, body.peerURLs![0]!);
		else if (path === "maintenance/transfer-leadership") etcd.moveLeader(BigInt(body.targetID!).toString(16));
		else throw new Error(`unexpected ${path}`);
		return {};
	}

	#status(name: string): object {
		const { etcd } = this;
		const { memberId, applied } = etcd.at(name).data!;
		const leader = etcd.serves ? decimalId(etcd.leader) : "0";
		const raftIndex = String(memberId === etcd.leader ? etcd.index : applied);
		const isLearner = etcd.members.some((member) => member.id === memberId && member.isLearner);
		return { version: "3.6.16", leader, raftIndex, raftAppliedIndex: String(applied), raftTerm: "2", isLearner };
	}

	#keys(path: string, body: Body): object {
		if (path === "lease/grant") return { ID: String(++this.#leases), TTL: "60" };
		if (path === "lease/keepalive") return { result: this.lock?.lease === body.ID ? { TTL: "60" } : {} };
		if (path === "lease/revoke") {
			if (this.lock?.lease === body.ID) this.lock = undefined;
			return {};
		}
		const value = (text: string) => Buffer.from(text).toString("base64");
		if (path === "kv/range")
			return { kvs: this.lock ? [{ key: body.key, value: value(this.lock.value), lease: this.lock.lease }] : [] };
		const { request_put } = body.success![0]!;
		const succeeded = this.lock === undefined;
		if (succeeded) this.lock = { value: Buffer.from(request_put.value, "base64").toString(), lease: request_put.lease };
		return { succeeded };
	}

	#snapshot(): string {
		const hash = createHash("sha256").update(this.database).digest();
		if (this.damaged) hash[31]! ^= 1;
		const parts = [this.database.subarray(0, 40_000), this.database.subarray(40_000), hash];
		return parts.map((part) => `${JSON.stringify({ result: { blob: part.toString("base64") } })}\n`).join("");
	}

	/** The platform: what it does to machines is what a real one would do, at once. */
	host(): Host {
		const { etcd, files } = this;
		const at = (name: string) => etcd.machines.get(name);
		const note = (text: string) => this.calls.push(text);
		return {
			start: async (name) => {
				note(`start ${name}`);
				etcd.start(name);
			},
			stop: async (name) => {
				note(`stop ${name}`);
				etcd.at(name).running = false;
			},
			restart: async (name) => {
				note(`restart ${name}`);
				etcd.restart(name);
			},
			release: async (name, process, args) => {
				note(`release ${name} ${process}`);
				if (args === undefined) return etcd.start(name);
				const text = files.get(`${name}/live/etcd-join.yml`)!;
				const cluster = /^initial-cluster: (.*)$/m.exec(text)![1]!;
				const id = etcd.members.find(({ peerURLs }) => peerURLs.includes(etcd.at(name).voter.peerURL))?.id ?? "";
				if (/initial-cluster-state: new/.test(text)) etcd.seed(name, /cluster-token: (.*)$/m.exec(text)![1]!);
				else etcd.join(name, id, cluster);
			},
			status: async (member): Promise<MemberStatus> => {
				const machine = at(member);
				if (!machine) return { member, state: "missing", pendingRestart: false, processes: [] };
				const state = machine.running ? "running" : machine.data ? "stopped" : "held";
				const pendingRestart = machine.running && machine.stale;
				const process = { name: "etcd", state, failures: 0, pendingRestart } as const;
				return { member, state, pendingRestart, processes: [process] };
			},
			read: async (name, file) => files.get(`${name}/${file}`),
			write: async (name, file, text) => void files.set(`${name}/${file}`, text),
			exists: async (name, path) => {
				const machine = at(name);
				return machine !== undefined && (machine.data !== undefined || (machine.partial && !path.endsWith("/wal")));
			},
			setAside: async (name, path) => {
				note(`setAside ${name} ${path}`);
				etcd.setAside(name);
				return `${path}.aside-1`;
			},
		};
	}
}

const gatewayMember = ({ id, isLearner, ...member }: EtcdMember) => ({
	...{ ...member, ID: decimalId(id) },
	...(isLearner ? { isLearner } : {}),
});
