import { HoldfastError } from "../errors.ts";
import { failpoint } from "../failpoint.ts";
import type { PostgresClusterInputs } from "./clusterArguments.ts";
import { identifierOnDisk } from "./controlData.ts";
import { joinEtcd, openEtcd } from "./etcd.ts";
import { announceEtcdPassword } from "./passwords.ts";
import { DATA_FOLDER } from "./patroniYml.ts";
import type { PatroniStatus } from "./state.ts";
import { leaderOf, look, save, say, statusesOf, type Work, withRest } from "./work.ts";

/** PostgreSQL's own mark of a data folder. */
const PROOF = `${DATA_FOLDER}/PG_VERSION`;

/**
 * Makes sure that there is a cluster, that it is ours, and that every declared member runs: etcd first, then the first
 * member's Patroni alone, which so begins the cluster, then the others', which clone it. Returns whether it began now.
 */
export async function establish(work: Work, inputs: PostgresClusterInputs, known?: string): Promise<boolean> {
	const { record } = work;
	const claim = known ?? record.systemIdentifier ?? inputs.adopt?.systemIdentifier;
	refuseOthers(claim, inputs.version, await statusesOf(work));
	if (inputs.host.kind === "existing") {
		record.systemIdentifier = await proved(work, claim);
		await save(work);
		return false;
	}
	await checkData(work, inputs, claim);
	// Nothing was noted so far: a cluster that is not ours must leave no trace here.
	await save(work);
	await announceEtcdPassword(work, inputs);
	await openEtcd(work, inputs);
	await bothDone(joinEtcd(work, inputs), startMembers(work, inputs, claim === undefined));
	record.systemIdentifier = await proved(work, claim ?? record.systemIdentifier);
	await save(work);
	return claim === undefined;
}

/** Waits for both, also when one of them fails: nothing goes on behind the back of a verb that has failed. */
async function bothDone(...work: Promise<void>[]): Promise<void> {
	for (const outcome of await Promise.allSettled(work)) if (outcome.status === "rejected") throw outcome.reason;
}

async function startMembers(work: Work, inputs: PostgresClusterInputs, isNew: boolean): Promise<void> {
	if (isNew) await begin(work, inputs);
	await bothDone(...inputs.members.map(({ name }) => release(work, name)));
}

/** Whoever answers must be of the cluster that is meant, and of its version; without one, nobody may be. */
function refuseOthers(claim: string | undefined, version: number, statuses: ReadonlyMap<string, PatroniStatus>): void {
	for (const [name, { database_system_identifier: found, server_version: server = 0 }] of statuses) {
		if (found === undefined || found === "" || claim === undefined) continue;
		if (found !== claim)
			throw new HoldfastError("HF_FOREIGN", `${name} runs the cluster ${found}, not ${claim}`, {
				next: "correct adopt.systemIdentifier, or choose other ports and another name",
			});
		if (server > 0 && Math.floor(server / 10_000) !== version)
			throw new HoldfastError(
				"HF_SETTING",
				`version is ${version}, but ${name} runs PostgreSQL ${Math.floor(server / 10_000)}`,
			);
	}
}

/** What lies in the members' folders must be explained by our state, by an interrupted first build, or by `adopt`. */
async function checkData({ access, host, record }: Work, { members }: PostgresClusterInputs, claim?: string) {
	const found = await Promise.all(members.map(async ({ name }) => ((await host.exists(name, PROOF)) ? [name] : [])));
	const full = found.flat();
	for (const name of full) {
		const identifier = await identifierOnDisk(access.stack, name);
		if (claim === undefined || identifier === undefined || identifier === claim) continue;
		throw new HoldfastError("HF_FOREIGN", `${name} has data of the cluster ${identifier}, not of ${claim}`, {
			next: "put this member's own data back, or move data/postgres of its folder away: it is cloned anew then",
		});
	}
	if (claim === undefined && full.length > 0 && record.initiating === undefined) {
		throw new HoldfastError("HF_FOREIGN", `${full.join(", ")} has data of a cluster that this stack knows nothing of`, {
			next: "give its identifier as adopt.systemIdentifier (pg_controldata shows it), or choose another dataRoot",
		});
	}
	if (claim !== undefined && record.systemIdentifier === claim && full.length === 0) {
		throw new HoldfastError("HF_DATA_LOST", `no member of cluster ${record.scope} has its data (${claim}) any more`, {
			next: "restore the members' folders from a backup; docs/runbook.md says how to begin anew",
		});
	}
}

/** The first member begins the cluster while nobody else can: no race for it, and no second cluster. */
async function begin(work: Work, { members }: PostgresClusterInputs): Promise<void> {
	const { record } = work;
	const first = record.initiating ?? members[0]!.name;
	record.initiating = first;
	await save(work);
	await failpoint("postgres/initiating");
	await release(work, first);
	say(work, `${first} makes the database`);
	await leads(work, [first]);
	await failpoint("postgres/initiated");
	record.systemIdentifier = await proved(work, undefined);
	record.initiating = undefined;
	await save(work);
}

/** Starts after which a Patroni is taken for one that cannot start: the first ones may come before its etcd is ready. */
const FAILURES = 4;

/** When none of these Patronis runs and one has failed again and again, waiting longer is no use. */
async function refuseFailing({ host, record }: Work, names: readonly string[]): Promise<void> {
	const states = await Promise.all(names.map((name) => host.status(name)));
	const patronis = states.map(({ processes }) => processes.find(({ name }) => name === "patroni"));
	const failing = patronis.findIndex((patroni) => patroni?.state === "backing-off" && patroni.failures >= FAILURES);
	if (failing < 0 || patronis.some((patroni) => patroni?.state === "running")) return;
	throw new HoldfastError(
		"HF_PROCESS",
		`the Patroni of ${names[failing]} of ${record.scope} fails again and again: ${patronis[failing]!.detail}`,
		{ next: "see log/patroni.log and log/patroni.out in the member's folder" },
	);
}

/** Lets a member's Patroni start; does nothing to one that runs. */
async function release({ host }: Work, name: string): Promise<void> {
	const { processes } = await host.status(name);
	if (processes.find((process) => process.name === "patroni")?.state === "held") await host.release(name, "patroni");
}

/** Waits for a leader, as long as one of these members could become it. */
async function leads(work: Work, names: readonly string[]): Promise<string> {
	for (;;) {
		const seen = await look(work);
		const leader = seen && leaderOf(seen);
		if (leader !== undefined) return leader;
		await refuseFailing(work, names);
		say(work, `waiting for a leader among ${names.join(", ")}`);
		await work.deadline.pause(250, `a leader of ${work.record.scope}`);
	}
}

/** The system identifier of the cluster that answers: the one that is meant, if any. */
async function proved(work: Work, claim: string | undefined): Promise<string> {
	for (;;) {
		const found = await identifierOf(work);
		if (found !== undefined && (claim === undefined || found === claim)) return found;
		if (found !== undefined)
			throw new HoldfastError(
				"HF_FOREIGN",
				`the leader of ${work.record.scope} has the cluster ${found}, not ${claim}`,
			);
		await work.deadline.pause(250, `a leader of ${work.record.scope}`);
	}
}

async function identifierOf(work: Work): Promise<string | undefined> {
	const names = work.record.hosts.map(({ name }) => name);
	const leader = await leads(work, names);
	const status = await withRest(work, leader, (rest) => rest.patroni()).catch(() => undefined);
	return status?.role === "primary" ? status.database_system_identifier : undefined;
}
