import { readRecord, withCluster, writeRecord } from "../access.ts";
import { Deadline } from "../deadline.ts";
import { HoldfastError } from "../errors.ts";
import type { Kind } from "../kind.ts";
import { toolPath, toolVersion } from "../tools.ts";
import { converge, lookAt } from "./execute.ts";
import { identify, requireAdmin } from "./identity.ts";
import type { RetireInputs, RetireOutputs } from "./model.ts";
import { planMembership } from "./plan.ts";
import { Reach } from "./reach.ts";
import type { MongoRecord } from "./record.ts";
import { turnTls } from "./tls.ts";

const DEADLINE_MS = 15 * 60_000;

/**
 * Comes before the members are touched: refuses what the running set cannot take, and takes members that go away
 * out of the set, so that their processes stop only afterwards.
 */
export const retireKind: Kind<RetireInputs, RetireOutputs> = {
	id: ({ access }) => `${access.stack}/${access.cluster}`,
	ensure: (inputs, previous) =>
		withCluster(inputs.access, "retirement", async () => {
			const record = await readRecord<MongoRecord>(inputs.access);
			const tls = turnTls(record?.name ?? inputs.access.cluster, record, inputs.tls);
			if (record) await writeRecord(inputs.access, Object.assign(record, { tls }));
			const reach = new Reach(tls);
			try {
				if (inputs.adopt && !(previous && record?.replicaSetId)) await verifyAdoption(reach, inputs, record);
				if (record?.replicaSetId) await retire(reach, record, inputs);
				return { retired: [] };
			} finally {
				await reach.close();
			}
		}),
	async observe() {
		return { outputs: { retired: [] } };
	},
	async remove() {},
};

/** The set that is to be taken over is looked at before anything of ours starts. */
async function verifyAdoption(reach: Reach, { access, keep, adopt }: RetireInputs, known?: MongoRecord): Promise<void> {
	const { replicaSetId, admin, keyfile } = adopt!;
	const record = known ?? { name: access.cluster, hosts: keep, admin, keys: keyfile ? [keyfile] : [] };
	const answers = await reach.hellos(keep);
	const withUsers = answers.find(({ hello }) => hello?.setName && !hello.arbiterOnly);
	if (!known && withUsers) await requireAdmin(reach, withUsers.host, admin);
	if (await identify(reach, record, answers, { known: known?.replicaSetId, adopt: replicaSetId })) return;
	throw new HoldfastError("HF_UNREACHABLE", `none of ${keep.join(", ")} answers as a member of set ${replicaSetId}`, {
		next: "start the members of the set that is to be adopted, or remove adopt",
	});
}

async function retire(reach: Reach, record: MongoRecord, inputs: RetireInputs): Promise<void> {
	const gone = record.hosts.filter((host) => !inputs.keep.includes(host));
	const deadline = new Deadline(`taking ${gone.join(", ")} out of ${record.name}`, DEADLINE_MS);
	const work = { access: inputs.access, record, reach, deadline };
	if (inputs.build !== undefined) await refuseOlderThanData(work, inputs.build);
	if (gone.length === 0) return;
	const { set } = await lookAt(work);
	const members = set.config.members.filter(({ host }) => inputs.keep.includes(host));
	const desired = { members, electionTimeoutMillis: set.config.settings.electionTimeoutMillis };
	await converge(work, (look) => planMembership(look.set, desired, { phase: "retire", keep: inputs.keep }));
}

/** A server older than the data's compatibility version would refuse to start: said before it is staged. */
async function refuseOlderThanData(work: Parameters<typeof lookAt>[0], build: string): Promise<void> {
	const { set } = await lookAt(work);
	const version = await toolVersion(await toolPath("mongod", build));
	if (Number.parseFloat(version) >= Number.parseFloat(set.featureCompatibilityVersion)) return;
	throw new HoldfastError(
		"HF_SETTING",
		`build ${build} is MongoDB ${version}, older than the featureCompatibilityVersion ${set.featureCompatibilityVersion} of ${work.record.name}`,
		{ next: "lower featureCompatibilityVersion first, or choose a newer build" },
	);
}
