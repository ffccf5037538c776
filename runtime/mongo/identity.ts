import type { Deadline } from "../deadline.ts";
import { describe, HoldfastError } from "../errors.ts";
import { adminCredential, type Credential, isRefused, systemCredential } from "./connect.ts";
import { replicaSetIdOf } from "./observe.ts";
import type { Answer, Reach } from "./reach.ts";
import type { MongoRecord } from "./record.ts";

/** What the caller believes to be the set's identity. */
export interface Claim {
	/** From Pulumi's state or the record: must match. */
	known?: string;
	/** The operator's consent to take over exactly this set. */
	adopt?: string;
}

/**
 * Whose set the hosts belong to: its replicaSetId, or `undefined` when none of them has one yet. Refuses sets that
 * are not provably ours, two sets among the hosts, and a known set of which no host has data any more.
 */
export async function identify(reach: Reach, record: MongoRecord, answers: Answer[], claim: Claim): Promise<string | undefined> {
	const initialised = answers.filter(({ hello }) => hello?.setName);
	if (initialised.length === 0) return refuseIfLost(record, answers, claim);
	const ids = new Map<string, string>();
	for (const { host } of initialised) ids.set(host, await openedId(reach, record, host));
	const found = new Set(ids.values());
	const listing = [...ids].map(([host, id]) => `${host} has ${id}`).join(", ");
	if (found.size > 1) throw foreign(`the hosts of ${record.name} belong to different sets: ${listing}`);
	const [id] = [...found] as [string];
	const expected = claim.known ?? claim.adopt;
	if (expected === undefined && record.initiating === undefined) {
		throw foreign(`${listing}, and nothing here proves that this set is ours`, `set adopt.replicaSetId to ${id} to take it over`);
	}
	if (expected !== undefined && expected !== id) throw foreign(`replica set ${record.name} should be ${expected}, but ${listing}`);
	return id;
}

const foreign = (message: string, next?: string) => new HoldfastError("HF_FOREIGN", message, { next });

function refuseIfLost(record: MongoRecord, answers: Answer[], claim: Claim): undefined {
	const expected = claim.known ?? claim.adopt;
	const silent = answers.filter(({ hello }) => !hello).map(({ host }) => host);
	if (expected === undefined || silent.length > 0) return undefined;
	throw new HoldfastError(
		"HF_DATA_LOST",
		`every host of replica set ${record.name} is empty, but it should hold set ${expected}`,
		{ next: "restore the data folders; to begin with an empty set, destroy this one by name first" },
	);
}

/** The replicaSetId of an initialised host, opened with any credential of ours. */
async function openedId(reach: Reach, record: MongoRecord, host: string): Promise<string> {
	const byKey = await replicaSetIdOf(reach, host, record.keys);
	if (byKey) return byKey;
	for (const admin of [record.admin, record.previousAdmin].filter((a) => a !== undefined)) {
		try {
			const { config } = await reach.member(host, adminCredential(admin)).db("admin").command({ replSetGetConfig: 1 });
			return String(config.settings.replicaSetId);
		} catch (error) {
			if (!isRefused(error)) throw new HoldfastError("HF_UNREACHABLE", `${host} broke off (${describe(error)})`, { cause: error });
		}
	}
	throw foreign(`${host} belongs to a replica set that none of our credentials opens`, "adopt it with its admin credentials, or choose another address");
}

/**
 * Initiates the set with ONE member under its final name and waits until it can write. The others are added later:
 * three at once would cost an 11 s election. Safe to repeat.
 */
export async function initiate(reach: Reach, record: MongoRecord, seed: string, electionTimeoutMillis: number, deadline: Deadline) {
	const system = reach.member(seed, systemCredential(record.keys[0]!));
	const config = { _id: record.name, members: [{ _id: 0, host: seed }], settings: { electionTimeoutMillis } };
	for (;;) {
		const { hello, ...rest } = await reach.hello(seed);
		if (hello?.isWritablePrimary) break;
		if (hello && !hello.setName) await sendInitiate(system, config);
		await deadline.pause(hello ? 50 : 500, `${seed} to become primary${"reason" in rest ? ` (${rest.reason})` : ""}`);
	}
	const id = await replicaSetIdOf(reach, seed, record.keys);
	if (!id) throw new HoldfastError("HF_INTERNAL", `${seed} is primary of a set without an id`);
	return id;
}

async function sendInitiate(system: ReturnType<Reach["member"]>, config: object): Promise<void> {
	try {
		await system.db("admin").command({ replSetInitiate: config });
	} catch (error) {
		// 23 AlreadyInitialized: an earlier attempt whose answer was lost. 93 is a config the server will never take.
		const code = (error as { code?: number }).code;
		if (code === 93 || code === 2) {
			throw new HoldfastError("HF_REJECTED", `the server refuses to initiate ${JSON.stringify(config)}: ${describe(error)}`, { cause: error });
		}
	}
}

/** Makes the declared admin able to log in: created, or its password restored, through the key file where needed. */
export async function ensureAdmin(reach: Reach, record: MongoRecord, primary: string): Promise<void> {
	const { admin } = record;
	if (await accepts(reach, primary, adminCredential(admin))) return;
	const { previousAdmin } = record;
	const former = previousAdmin && adminCredential(previousAdmin);
	const actors: Credential[] = [...(former ? [former] : []), ...record.keys.map(systemCredential)];
	for (const actor of actors) {
		if (!(await accepts(reach, primary, actor))) continue;
		await putAdmin(reach.member(primary, actor), admin);
		await reach.forget(primary);
		if (await accepts(reach, primary, adminCredential(admin))) return;
	}
	throw new HoldfastError("HF_CREDENTIALS", `${primary} accepts neither the admin ${admin.user} nor the members' key file`);
}

async function putAdmin(client: ReturnType<Reach["member"]>, admin: MongoRecord["admin"]): Promise<void> {
	const db = client.db("admin");
	const { users } = await db.command({ usersInfo: { user: admin.user, db: "admin" } });
	const body = { pwd: admin.password, mechanisms: ["SCRAM-SHA-256"], writeConcern: { w: "majority", wtimeout: 30_000 } };
	if (users.length > 0) await db.command({ updateUser: admin.user, ...body });
	else await db.command({ createUser: admin.user, roles: [{ role: "root", db: "admin" }], ...body });
}

async function accepts(reach: Reach, host: string, credential: Credential): Promise<boolean> {
	try {
		await reach.member(host, credential).db("admin").command({ ping: 1 });
		return true;
	} catch (error) {
		if (isRefused(error)) return false;
		throw new HoldfastError("HF_UNREACHABLE", `${host} does not answer a login (${describe(error)})`, { cause: error });
	}
}
