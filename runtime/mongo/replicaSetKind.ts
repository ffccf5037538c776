import { readRecord, removeRecord, withCluster, writeRecord } from "../access.ts";
import { Deadline } from "../deadline.ts";
import { HoldfastError, NotReady } from "../errors.ts";
import { failpoint } from "../failpoint.ts";
import type { Kind } from "../kind.ts";
import { openHost } from "../platform/open.ts";
import { report } from "../progress.ts";
import { KEY_FILE, parseKeyfile } from "./config.ts";
import { desiredSet, refuseTurning } from "./desired.ts";
import { converge, lookAt, type Work } from "./execute.ts";
import { ensureAdmin, identify, initiate, refuseMisnamed, requireAdmin } from "./identity.ts";
import type { ReplicaSetInputs, ReplicaSetOutputs } from "./model.ts";
import type { Look } from "./observe.ts";
import { observeReplicaSet } from "./observeKind.ts";
import { planMembership } from "./plan.ts";
import { Reach } from "./reach.ts";
import type { MongoRecord } from "./record.ts";
import { roll } from "./roll.ts";
import { applySettings, setWriteConcern } from "./settings.ts";
import type { DesiredMember } from "./state.ts";
import { settledTls, turnTls } from "./tls.ts";

/** A first build takes seconds; an initial sync or a rolling restart of many members takes as long as it takes. */
const DEADLINE_MS = 30 * 60_000;

/** The replica set itself: identity, admin, members, rollout of staged changes, settings inside the database. */
export const replicaSetKind: Kind<ReplicaSetInputs, ReplicaSetOutputs> = {
	id: ({ access }) => `${access.stack}/${access.cluster}`,
	ensure: (inputs, previous) =>
		withCluster(inputs.access, "update", async () => {
			const record = await openRecord(inputs);
			const reach = new Reach(record.tls);
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
	// What the members really hold comes before what was noted: the note may be older, or lost.
	const keys = [inputs.keyfile, ...(await heldKeys(inputs)), ...(known?.keys ?? []), inputs.adopt?.keyfile ?? ""];
	return {
		...known,
		name: inputs.name,
		hosts: [...new Set([...inputs.members.map(({ host }) => host), ...(known?.hosts ?? [])])],
		admin: inputs.admin,
		previousAdmin: changed ? former : known?.previousAdmin,
		keys: [...new Set(keys.filter((key) => key !== ""))],
		tls: turnTls(inputs.name, known, inputs.tls),
	};
}

/** Keys that the members' key files hold, as far as they can be read from here. */
async function heldKeys({ host, members }: ReplicaSetInputs): Promise<string[]> {
	const files = openHost(host);
	const managed = members.filter(({ member }) => member !== "");
	const texts = await Promise.all(managed.map(({ member }) => files.read(member, KEY_FILE)));
	return texts.flatMap((text) => parseKeyfile(text ?? ""));
}

/** Makes sure that there is a set, that it is ours, and that the declared admin can log in. */
async function establish(work: Work, inputs: ReplicaSetInputs, known?: string): Promise<void> {
	const { access, record, reach, deadline } = work;
	const claim = { known: known ?? record.replicaSetId, adopt: inputs.adopt?.replicaSetId };
	const answers = await reach.hellos(record.hosts);
	let id = await identify(reach, record, answers, claim);
	if (id && inputs.adopt) {
		refuseMisnamed(inputs.name, answers);
		if (known === undefined && keepsAdmin(inputs)) await requireAdmin(reach, await primaryOf(work), inputs.admin);
	}
	// Nothing was noted so far: a set that is not ours must leave no trace here.
	await writeRecord(access, record);
	if (!id) {
		if (claim.known ?? claim.adopt)
			throw new HoldfastError("HF_UNREACHABLE", `no host of replica set ${inputs.name} answers`);
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
		report({ phase: `mongo ${record.name}`, step: "waiting for a primary" });
		await deadline.pause(200, `replica set ${record.name} to have a primary`);
	}
}

const keepsAdmin = ({ admin, adopt }: ReplicaSetInputs): boolean =>
	adopt !== undefined && adopt.admin.user === admin.user && adopt.admin.password === admin.password;

async function finish(work: Work, inputs: ReplicaSetInputs): Promise<ReplicaSetOutputs> {
	const { access, record } = work;
	const outputs = { replicaSetId: record.replicaSetId!, version: "", compatibilityVersion: "" };
	try {
		await roll(work, openHost(inputs.host), inputs);
		// Once for all: a member that joins without its vote at first is not one that shall stay so.
		const now = await lookAt(work);
		const desired = desiredSet(inputs, now.set);
		refuseTurning(now.set, desired);
		await setWriteConcern(now, inputs.defaultWriteConcern);
		await converge(work, ({ set }) => planMembership(set, desired, { phase: "join", ids: record.ids }));
		let look = await whole(work, desired.members);
		look = await applySettings(work, inputs, look);
		record.hosts = inputs.members.map(({ host }) => host);
		record.keys = [inputs.keyfile];
		record.tls = settledTls(record.tls);
		await writeRecord(access, record);
		const { version } = await look.client.db("admin").command({ buildInfo: 1 });
		return { ...outputs, version, compatibilityVersion: look.set.featureCompatibilityVersion };
	} catch (error) {
		if (!(error instanceof HoldfastError) || error.code !== "HF_DEADLINE") throw error;
		throw new NotReady(replicaSetKind.id(inputs), outputs, error.message, { cause: error });
	}
}

/** Waits until every declared member is a healthy primary, secondary or arbiter, and every vote counts. */
async function whole(work: Work, members: readonly DesiredMember[]): Promise<Look> {
	const voters = members.filter(({ votes }) => votes === 1).length;
	for (;;) {
		const look = await lookAt(work);
		const missing = members.filter(({ host }) => {
			const state = look.set.members.find((member) => member.host === host)?.state ?? -1;
			return ![1, 2, 7].includes(state);
		});
		if (missing.length === 0 && look.set.votingMembersCount >= voters) return look;
		const why =
			missing.length > 0 ? `${missing.map(({ host }) => host).join(", ")} to catch up` : "every vote to count";
		report({ phase: `mongo ${work.record.name}`, step: `waiting for ${why}` });
		await work.deadline.pause(100, why);
	}
}
