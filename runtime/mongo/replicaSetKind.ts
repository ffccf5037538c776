import { withCluster, readRecord, removeRecord, writeRecord } from "../access.ts";
import { Deadline } from "../deadline.ts";
import { HoldfastError, NotReady } from "../errors.ts";
import { failpoint } from "../failpoint.ts";
import type { Kind } from "../kind.ts";
import { openHost } from "../platform/open.ts";
import { converge, lookAt, type Work } from "./execute.ts";
import { ensureAdmin, identify, initiate } from "./identity.ts";
import { type ReplicaSetInputs, type ReplicaSetOutputs, replicaSetSchema } from "./model.ts";
import type { Look } from "./observe.ts";
import { observeReplicaSet } from "./observeKind.ts";
import { planMembership } from "./plan.ts";
import { Reach } from "./reach.ts";
import type { MongoRecord } from "./record.ts";
import { roll } from "./roll.ts";
import { applySettings } from "./settings.ts";

/** A first build takes seconds; an initial sync or a rolling restart of many members takes as long as it takes. */
const DEADLINE_MS = 30 * 60_000;

/** The replica set itself: identity, admin, members, rollout of staged changes, settings inside the database. */
export const replicaSetKind: Kind<ReplicaSetInputs, ReplicaSetOutputs> = {
	schema: replicaSetSchema,
	replaces: [],
	id: ({ access }) => `${access.stack}/${access.cluster}`,
	ensure: (inputs, previous) =>
		withCluster(inputs.access, "update", async () => {
			const record = await openRecord(inputs);
			const reach = new Reach();
			const deadline = new Deadline(`the update of replica set ${inputs.name}`, DEADLINE_MS);
			const work: Work = { access: inputs.access, record, reach, deadline };
			try {
				await establish(work, inputs, previous?.replicaSetId);
				return await finish(work, inputs);
			} finally {
				await reach.close();
			}
		}),
	observe: (_id, state) => observeReplicaSet(state),
	// The members stop and go by themselves afterwards; a set that somebody else runs goes on without us.
	remove: (_id, { access }) => withCluster(access, "removal", () => removeRecord(access)),
};

/** The record as it should be from now on; what is in force until then is kept beside it. */
async function openRecord(inputs: ReplicaSetInputs): Promise<MongoRecord> {
	const known = await readRecord<MongoRecord>(inputs.access);
	const former = known?.admin ?? inputs.adopt?.admin;
	const changed = former && (former.user !== inputs.admin.user || former.password !== inputs.admin.password);
	const keys = [inputs.keyfile, ...(known?.keys ?? []), inputs.adopt?.keyfile].filter((key) => key !== undefined && key !== "");
	const record: MongoRecord = {
		...known,
		name: inputs.name,
		hosts: [...new Set([...inputs.members.map(({ host }) => host), ...(known?.hosts ?? [])])],
		admin: inputs.admin,
		previousAdmin: changed ? former : known?.previousAdmin,
		keys: [...new Set(keys as string[])],
	};
	await writeRecord(inputs.access, record);
	return record;
}

/** Makes sure that there is a set, that it is ours, and that the declared admin can log in. */
async function establish(work: Work, inputs: ReplicaSetInputs, known?: string): Promise<void> {
	const { access, record, reach, deadline } = work;
	const claim = { known: known ?? record.replicaSetId, adopt: inputs.adopt?.replicaSetId };
	let id = await identify(reach, record, await reach.hellos(record.hosts), claim);
	if (!id) {
		if (claim.known ?? claim.adopt) throw new HoldfastError("HF_UNREACHABLE", `no host of replica set ${inputs.name} answers`);
		const seed = inputs.members[0]!.host;
		record.initiating = seed;
		await writeRecord(access, record);
		await failpoint("mongo/initiating");
		id = await initiate(reach, record, seed, inputs.settings.electionTimeoutMillis, deadline);
	}
	const primary = await primaryOf(work);
	await failpoint("mongo/initiated");
	await ensureAdmin(reach, record, primary);
	await failpoint("mongo/admin");
	record.replicaSetId = id;
	record.initiating = undefined;
	record.previousAdmin = undefined;
	await writeRecord(access, record);
}

async function primaryOf({ reach, record, deadline }: Work): Promise<string> {
	for (;;) {
		const primary = (await reach.hellos(record.hosts)).find(({ hello }) => hello?.isWritablePrimary);
		if (primary) return primary.host;
		await deadline.pause(200, `replica set ${record.name} to have a primary`);
	}
}

async function finish(work: Work, inputs: ReplicaSetInputs): Promise<ReplicaSetOutputs> {
	const { access, record } = work;
	const outputs = { replicaSetId: record.replicaSetId!, version: "", featureCompatibilityVersion: "" };
	try {
		await roll(work, await openHost(inputs.host), inputs);
		const members = inputs.members.map(({ member: _, ...member }) => member);
		const desired = { members, electionTimeoutMillis: inputs.settings.electionTimeoutMillis };
		await converge(work, ({ set }) => planMembership(set, desired, { phase: "join", ids: record.ids }));
		let look = await whole(work, inputs);
		look = await applySettings(work, inputs, look);
		record.hosts = inputs.members.map(({ host }) => host);
		record.keys = [inputs.keyfile];
		await writeRecord(access, record);
		const { version } = await look.client.db("admin").command({ buildInfo: 1 });
		return { ...outputs, version, featureCompatibilityVersion: look.set.featureCompatibilityVersion };
	} catch (error) {
		if (!(error instanceof HoldfastError) || error.code !== "HF_DEADLINE") throw error;
		throw new NotReady(replicaSetKind.id(inputs), outputs, error.message, { cause: error });
	}
}

/** Waits until every declared member is a healthy primary, secondary or arbiter, and every vote counts. */
async function whole(work: Work, inputs: ReplicaSetInputs): Promise<Look> {
	const voters = inputs.members.filter(({ votes }) => votes === 1).length;
	for (;;) {
		const look = await lookAt(work);
		const missing = inputs.members.filter(({ host }) => {
			const state = look.set.members.find((member) => member.host === host)?.state ?? -1;
			return ![1, 2, 7].includes(state);
		});
		if (missing.length === 0 && look.set.votingMembersCount >= voters) return look;
		const why = missing.length > 0 ? `${missing.map(({ host }) => host).join(", ")} to catch up` : "every vote to count";
		await work.deadline.pause(100, why);
	}
}
