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
export async function identify(
	reach: Reach,
	record: MongoRecord,
	answers: Answer[],
	claim: Claim,
): Promise<string | undefined> {
	const initialised = answers.filter(({ hello }) => hello?.setName);
	if (initialised.length === 0) return refuseIfLost(record, answers, claim);
	// Arbiters hold no users: they can be asked only where nobody else is there.
	const withUsers = initialised.filter(({ hello }) => !hello?.arbiterOnly);
	const ids = new Map<string, string>();
	for (const { host } of withUsers.length > 0 ? withUsers : initialised)
		ids.set(host, await openedId(reach, record, host));
	const found = new Set(ids.values());
	const listing = [...ids].map(([host, id]) => `${host} has ${id}`).join(", ");
	if (found.size > 1) throw foreign(`the hosts of ${record.name} belong to different sets: ${listing}`);
	const [id] = [...found] as [string];
	const expected = claim.known ?? claim.adopt;
	if (claim.adopt !== undefined && claim.adopt !== expected) {
		throw foreign(
			`adopt.replicaSetId is ${claim.adopt}, but replica set ${record.name} is known here as ${expected}`,
			"correct adopt.replicaSetId, or remove adopt",
		);
	}
	if (expected === undefined && record.initiating === undefined) {
		throw foreign(
			`${listing}, and nothing here proves that this set is ours`,
			`set adopt.replicaSetId to ${id} to take it over`,
		);
	}
	if (expected !== undefined && expected !== id)
		throw foreign(`replica set ${record.name} should be ${expected}, but ${listing}`);
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
			if (!isRefused(error))
				throw new HoldfastError("HF_UNREACHABLE", `${host} broke off (${describe(error)})`, { cause: error });
		}
	}
	throw foreign(
		`${host} belongs to a replica set that none of our credentials opens`,
		"adopt it with its admin credentials, or choose another address",
	);
}

/**
 * Initiates the set with ONE member under its final name and waits until it can write. The others are added later:
 * three at once would cost an 11 s election. Safe to repeat.
 */
export async function initiate(
	reach: Reach,
	record: MongoRecord,
	seed: string,
	electionTimeoutMillis: number | undefined,
	deadline: Deadline,
) {
	const system = reach.member(seed, systemCredential(record.keys[0]!));
	const settings = electionTimeoutMillis === undefined ? {} : { settings: { electionTimeoutMillis } };
	const config = { _id: record.name, members: [{ _id: 0, host: seed }], ...settings };
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
			throw new HoldfastError(
				"HF_REJECTED",
				`the server refuses to initiate ${JSON.stringify(config)}: ${describe(error)}`,
				{ cause: error },
			);
		}
	}
}

/** What the program says of a set that is to be taken over must fit: drivers find no set of another name, and no member twice. */
export function refuseMisnamed(name: string, answers: Answer[]): void {
	for (const { host, hello } of answers) {
		if (hello?.setName !== undefined && hello.setName !== name) {
			throw new HoldfastError("HF_SETTING", `${host} belongs to replica set ${hello.setName}, but name is ${name}`, {
				next: `set name to ${hello.setName}`,
			});
		}
		if (hello?.setName === undefined || hello.me === undefined || hello.me === host) continue;
		throw new HoldfastError("HF_SETTING", `${host} is member ${hello.me} of replica set ${name}`, {
			next: `write ${hello.me} instead of ${host}`,
		});
	}
}

/** The administrator of a set that is taken over is a fact to be proved: a slip must not change the password. */
export async function requireAdmin(reach: Reach, host: string, admin: MongoRecord["admin"]): Promise<void> {
	if (await accepts(reach, host, adminCredential(admin))) return;
	throw new HoldfastError(
		"HF_CREDENTIALS",
		`${host} refuses the administrator ${admin.user} that is given for its adoption`,
		{
			next: "correct adopt.adminUser and the secret adopt; to set a new password, give it as the secret admin",
		},
	);
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
	throw new HoldfastError(
		"HF_CREDENTIALS",
		`${primary} accepts neither the admin ${admin.user} nor the members' key file`,
	);
}

async function putAdmin(client: ReturnType<Reach["member"]>, admin: MongoRecord["admin"]): Promise<void> {
	const db = client.db("admin");
	const { users } = await db.command({ usersInfo: { user: admin.user, db: "admin" } });
	const body = {
		pwd: admin.password,
		mechanisms: ["SCRAM-SHA-256"],
		writeConcern: { w: "majority", wtimeout: 30_000 },
	};
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
