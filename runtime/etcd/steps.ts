import { setTimeout as sleep } from "node:timers/promises";
import { HoldfastError } from "../errors.ts";
import { failpoint } from "../failpoint.ts";
import { stackLog } from "../log.ts";
import { FOLDER } from "../platform/model.ts";
import { report } from "../progress.ts";
import { addLearner, moveLeader, promote, remove, update } from "./api.ts";
import { ETCD_DATA, ETCD_FILE, ETCD_JOIN_FILE, type FirstStart, joinYml } from "./config.ts";
import type { EtcdGateway } from "./gateway.ts";
import { birthOf, newToken } from "./identity.ts";
import type { Look } from "./observe.ts";
import { added, bornRecord, started } from "./record.ts";
import type { EtcdStep } from "./state.ts";
import { type EtcdWork, keep } from "./work.ts";

type Step<Kind extends EtcdStep["kind"]> = EtcdStep & { kind: Kind };

/** One step that the plan asked for after a look. */
export interface Action {
	work: EtcdWork;
	gateway: EtcdGateway;
	look: Look;
	step: Exclude<EtcdStep, Step<"wait" | "refuse" | "done">>;
}

/** The others drop their connections to a member that was removed; at the same address the next one comes after that. */
const DROP_MS = 1000;

/** Takes the step. EtcdError when etcd does not do it, or when nobody knows. */
export async function perform(action: Action): Promise<void> {
	const { work, gateway, look, step } = action;
	const { host } = work;
	const { leader = "" } = look.seen.cluster ?? {};
	const at = [look.endpoints[leader], ...Object.values(look.endpoints)].filter((endpoint) => endpoint !== undefined);
	switch (step.kind) {
		case "seed":
			return seed(work, step);
		case "start":
			return start(action, step.name);
		case "join":
			return join(work, step);
		case "add":
			return add(action, step, at);
		case "promote":
			return promote(gateway, step.id, at);
		case "remove":
			await remove(gateway, step.id, at);
			return void (await sleep(DROP_MS));
		case "update":
			return update(gateway, step.id, step.peerURL, at);
		case "moveLeader":
			return moveLeader(gateway, step.to, look.endpoints[step.from] ?? at[0]!);
		case "setAside":
			return setAside(work, step.name);
		case "restart":
			return host.restart(step.name, "etcd");
	}
}

async function start({ work, look }: Action, name: string): Promise<void> {
	const { process } = look.seen.machines[name]!;
	await (process === "held" ? work.host.release(name, "etcd") : work.host.start(name, "etcd"));
}

/** The token stays what it was where an earlier run did not get further: one cluster, whoever finishes it. */
async function seed(work: EtcdWork, { name, peerURL }: Step<"seed">): Promise<void> {
	const token = work.record?.token ?? newToken(work.access.cluster);
	await keep(work, bornRecord(name, birthOf(peerURL, token)));
	await begin(work, name, { initialCluster: `${name}=${peerURL}`, state: "new", token });
}

async function join(work: EtcdWork, { name, id, initialCluster }: Step<"join">): Promise<void> {
	await keep(work, started(work.record!, name, id));
	await begin(work, name, { initialCluster, state: "existing", token: work.record!.token });
	await failpoint("etcd/started");
}

async function begin({ host }: EtcdWork, name: string, first: FirstStart): Promise<void> {
	const text = await host.read(name, ETCD_FILE);
	if (text === undefined) {
		throw new HoldfastError("HF_PROCESS", `${name} has no ${ETCD_FILE}: its etcd cannot start`, {
			next: "run holdfast up: it stages the file",
		});
	}
	await host.write(name, ETCD_JOIN_FILE, joinYml(text, first));
	await host.release(name, "etcd", ["--config-file", `${FOLDER}/${ETCD_JOIN_FILE}`]);
}

async function add({ work, gateway }: Action, { name, peerURL }: Step<"add">, at: readonly string[]): Promise<void> {
	const member = await addLearner(gateway, peerURL, at);
	await keep(work, added(work.record!, name, member.id));
	await failpoint("etcd/added");
}

async function setAside({ host, access }: EtcdWork, name: string): Promise<void> {
	await host.stop(name, "etcd");
	const kept = await host.setAside(name, ETCD_DATA);
	if (kept === undefined) return;
	stackLog(access.stack).warn({ cluster: access.cluster, member: name, kept }, "etcd data set aside");
	report({ phase: `etcd ${access.cluster}`, step: `the former etcd data of ${name} is kept as ${kept}` });
}
