import { serve } from "../../runtime/lifecycle.ts";
import { CONFIG_FILE, KEY_FILE, keyfileText, mongodConf, topology } from "../../runtime/mongo/model.ts";
import { FOLDER } from "../../runtime/platform/model.ts";
import { timed } from "./stats.ts";

type Object = Record<string, unknown>;
const stack = "bench-runtime";
const access = { stack, cluster: "rs0" };
const key = "c2VjcmV0".repeat(100);

const create = async (kind: Parameters<typeof serve>[0], inputs: Object) => {
	const { id, outs } = (await serve(kind, "create", [inputs])) as { id: string; outs: Object };
	return { id, outs, remove: () => serve(kind, "delete", [id, outs]) };
};

/** The same set through the runtime's verbs, as Pulumi would call them, but without Pulumi. */
export async function runtimeAlone(basePort: number): Promise<{ ms: number; clean: () => Promise<void> }> {
	const made: { remove: () => Promise<unknown> }[] = [];
	const ms = await timed(async () => {
		const slots = [0, 1, 2];
		const hosts = slots.map((slot) => `127.0.0.1:${basePort + slot}`);
		// As in Pulumi's graph: neither needs the other.
		const [host, retire] = await Promise.all([
			create("platform/Host", { stack, run: "running", adopt: false }),
			create("mongo/Retire", { access, keep: hosts }),
		]);
		made.push(host, retire);
		const members = await Promise.all(
			slots.map((slot) => create("platform/Member", member(slot, basePort, host.outs.hostId))),
		);
		made.push({ remove: () => Promise.all(members.map((one) => one.remove())) });
		made.push(await create("mongo/ReplicaSet", replicaSet(hosts)));
	});
	const clean = async () => {
		for (const one of made.reverse()) await one.remove();
	};
	return { ms, clean };
}

function member(slot: number, basePort: number, hostId: unknown): Object {
	const address = { host: "127.0.0.1", port: basePort + slot };
	const conf = mongodConf({ replicaSet: "rs0", address, cacheSizeGB: 0.25, shutdownTimeoutMillis: 500 });
	const args = ["--config", `${FOLDER}/${CONFIG_FILE}`];
	return {
		stack,
		hostId,
		cluster: "rs0",
		name: `rs0-${slot}`,
		slot,
		address,
		processes: [{ name: "mongod", program: "mongod", args, port: address.port }],
		files: { [CONFIG_FILE]: conf },
		birthFiles: { [KEY_FILE]: keyfileText([key]) },
		run: "running",
		adopt: false,
	};
}

function replicaSet(hosts: string[]): Object {
	return {
		access,
		host: { kind: "local", stack },
		name: "rs0",
		members: topology(hosts).members.map((one, slot) => ({ ...one, member: `rs0-${slot}` })),
		settings: { electionTimeoutMillis: 10_000 },
		mongod: { cacheSizeGB: 0.25, oplogSizeMB: 990 },
		defaultWriteConcern: { w: "majority", wtimeout: 20_000 },
		admin: { user: "admin", password: "admin" },
		keyfile: key,
	};
}
