import { describe, HoldfastError } from "../errors.ts";
import { adminCredential } from "./connect.ts";
import { lookAt, type Work } from "./execute.ts";
import type { ReplicaSetInputs } from "./model.ts";
import type { Look } from "./observe.ts";

/** What is set inside the database rather than in its configuration file; each is read first and set only if it differs. */
export async function applySettings(work: Work, inputs: ReplicaSetInputs, look: Look): Promise<Look> {
	if (inputs.mongod.oplogSizeMB !== undefined) await resizeOplogs(work, look, inputs.mongod.oplogSizeMB);
	if (inputs.featureCompatibilityVersion) await raiseCompatibility(work, inputs.featureCompatibilityVersion, look);
	return lookAt(work);
}

/** Before members change: from MongoDB 5.0 on the server refuses an arbiter while the implicit write concern would change. */
export async function setWriteConcern(
	{ client }: Look,
	wanted: ReplicaSetInputs["defaultWriteConcern"],
): Promise<void> {
	if (!wanted) return;
	const db = client.db("admin");
	const { defaultWriteConcern: now } = await db.command({ getDefaultRWConcern: 1 });
	if (now?.w === wanted.w && now?.wtimeout === wanted.wtimeout) return;
	const writeConcern = { w: "majority", wtimeout: 30_000 };
	await db.command({ setDefaultRWConcern: 1, defaultWriteConcern: wanted, writeConcern });
}

/** The oplog is resized while the member runs; MongoDB has no smaller one than 990 MB. */
async function resizeOplogs({ reach, record }: Work, { set }: Look, size: number): Promise<void> {
	for (const { host } of set.config.members.filter((member) => !member.arbiterOnly)) {
		const db = reach.member(host, adminCredential(record.admin)).db("local");
		const { maxSize } = await db.command({ collStats: "oplog.rs" });
		if (Math.round(Number(maxSize) / 1024 / 1024) === size) continue;
		await db.admin().command({ replSetResizeOplog: 1, size });
	}
}

const major = (version: string): number => Number(version.split(".")[0]);

/** One major version at a time, and only when every member runs a server of that version. */
async function raiseCompatibility({ reach, record }: Work, wanted: string, look: Look): Promise<void> {
	const now = look.set.featureCompatibilityVersion;
	if (now === wanted) return;
	if (Math.abs(major(wanted) - major(now)) > 1) {
		throw new HoldfastError(
			"HF_SETTING",
			`featureCompatibilityVersion of ${record.name} is ${now}: ${wanted} would skip a major version`,
			{
				next: "change it one major version at a time",
			},
		);
	}
	for (const { host } of look.set.members.filter(({ state }) => state !== 7)) {
		const { version } = await reach.member(host, adminCredential(record.admin)).db("admin").command({ buildInfo: 1 });
		if (major(version) >= major(wanted)) continue;
		throw new HoldfastError(
			"HF_SETTING",
			`${host} runs MongoDB ${version}, too old for featureCompatibilityVersion ${wanted}`,
			{
				next: "upgrade every member's build first",
			},
		);
	}
	const confirm = major(wanted) >= 7 || major(now) >= 7 ? { confirm: true } : {};
	try {
		await look.client.db("admin").command({ setFeatureCompatibilityVersion: wanted, ...confirm });
	} catch (error) {
		throw new HoldfastError(
			"HF_REJECTED",
			`${record.name} does not take featureCompatibilityVersion ${wanted} (${describe(error)})`,
			{ cause: error },
		);
	}
}
