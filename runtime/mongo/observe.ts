import type { Document, MongoClient } from "mongodb";
import { type Credential, isRefused, isUnreachable } from "./connect.ts";
import type { Answer, Reach } from "./reach.ts";
import type { ConfigMember, MemberHealth, ObservedSet, Probe, SetConfig } from "./state.ts";

/** The server's config document as the planner's plain data; what it does not know is kept in `rest`. */
export function fromDocument(document: Document): SetConfig {
	const { _id, version, term, members, settings, ...rest } = document;
	const { replicaSetId, electionTimeoutMillis, ...otherSettings } = settings;
	return {
		_id,
		version,
		term: Number(term ?? -1),
		members: members.map(memberFrom),
		settings: { replicaSetId: String(replicaSetId), electionTimeoutMillis, rest: otherSettings },
		rest,
	};
}

function memberFrom(document: Document): ConfigMember {
	const { _id, host, votes, priority, hidden, arbiterOnly, ...rest } = document;
	return { _id, host, votes, priority, hidden, arbiterOnly, rest };
}

/** The inverse of `fromDocument`, over the document just read: ids keep their BSON types. */
export function toDocument(config: SetConfig, read: Document): Document {
	const { replicaSetId: _, rest: settings, ...timeouts } = config.settings;
	return {
		...config.rest,
		_id: config._id,
		version: config.version,
		term: read.term,
		members: config.members.map(({ rest, ...member }) => ({ ...rest, ...member })),
		settings: { ...settings, ...timeouts, replicaSetId: read.settings.replicaSetId },
	};
}

export interface Look {
	set: ObservedSet;
	/** The config as the server sent it. */
	document: Document;
	/** Direct client of the primary, as admin. */
	client: MongoClient;
}

/**
 * One look at an initiated set through its primary. `hosts` are asked who they are first; `undefined` when none of
 * them, nor the primary they name, is a writable primary now.
 */
export async function lookAtSet(
	reach: Reach,
	hosts: readonly string[],
	admin: Credential,
	keys: string[],
): Promise<Look | undefined> {
	const answers = await reach.hellos(hosts);
	const primary = await findPrimary(reach, answers);
	if (!primary) return undefined;
	const client = reach.member(primary, admin);
	const db = client.db("admin");
	try {
		const [{ config }, status, fcv] = await Promise.all([
			db.command({ replSetGetConfig: 1 }),
			db.command({ replSetGetStatus: 1 }),
			db.command({ getParameter: 1, featureCompatibilityVersion: 1 }),
		]);
		const set = fromDocument(config);
		return {
			client,
			document: config,
			set: {
				config: set,
				primary,
				members: health(set, status),
				votingMembersCount: status.votingMembersCount ?? set.members.filter((m) => m.votes === 1).length,
				featureCompatibilityVersion: fcv.featureCompatibilityVersion.version,
				probes: await probes(reach, answers, set, keys),
			},
		};
	} catch (error) {
		if (isUnreachable(error)) return undefined;
		throw error;
	}
}

async function findPrimary(reach: Reach, answers: Answer[]): Promise<string | undefined> {
	const writable = answers.find((answer) => answer.hello?.isWritablePrimary);
	if (writable) return writable.host;
	const named = answers
		.flatMap(({ hello }) => hello?.primary ?? [])
		.find((host) => !answers.some((a) => a.host === host));
	if (!named) return undefined;
	return (await reach.hello(named)).hello?.isWritablePrimary ? named : undefined;
}

function health(config: SetConfig, status: Document): MemberHealth[] {
	const primary = status.members.find((member: Document) => member.state === 1);
	const voters = config.members.filter((member) => member.votes === 1).length;
	const heldBack = voters > (status.votingMembersCount ?? voters);
	return config.members.map(({ host, votes }) => {
		const member = status.members.find((m: Document) => m.name === host) ?? {};
		const state = member.health === 0 ? 8 : Number(member.state ?? -1);
		const behind = (primary?.optimeDate ?? 0) - (member.optimeDate ?? primary?.optimeDate ?? 0);
		return {
			host,
			state,
			// What a silent member had applied last is not known any more.
			lagSeconds: state === 8 ? 0 : Math.max(0, Number(behind) / 1000),
			newlyAdded: heldBack && votes === 1 && ![1, 2, 7].includes(state),
			configVersion: Number(member.configVersion ?? -1),
		};
	});
}

/** What hosts outside the config say of themselves. */
async function probes(
	reach: Reach,
	answers: Answer[],
	config: SetConfig,
	keys: string[],
): Promise<Record<string, Probe>> {
	const strangers = answers.filter(({ host }) => !config.members.some((member) => member.host === host));
	const found = await Promise.all(strangers.map((answer) => probe(reach, answer, config, keys)));
	return Object.fromEntries(strangers.map(({ host }, i) => [host, found[i]!]));
}

async function probe(reach: Reach, { host, ...said }: Answer, config: SetConfig, keys: string[]): Promise<Probe> {
	if (!said.hello) return { answer: "unreachable", reason: "reason" in said ? said.reason : "no answer" };
	// A member that was removed says no setName any more but still holds its config: only a key tells it from a new one.
	const id = keys.length === 0 && !said.hello.setName ? "" : await replicaSetIdOf(reach, host, keys);
	if (id === "") return { answer: "ready" };
	if (id === config.settings.replicaSetId) return { answer: "ours" };
	return { answer: "foreign", setName: said.hello.setName ?? "a set it was removed from" };
}

/**
 * The replicaSetId that one member holds: `""` when it belongs to no set, `undefined` when our keys do not open it.
 */
export async function replicaSetIdOf(reach: Reach, host: string, keys: string[]): Promise<string | undefined> {
	for (const key of keys) {
		const client = reach.member(host, { user: "__system", password: key, source: "local" });
		try {
			const { config } = await client.db("admin").command({ replSetGetConfig: 1 });
			return String(config.settings.replicaSetId);
		} catch (error) {
			if ((error as { code?: number }).code === 94) return "";
			if (!isRefused(error)) throw error;
		}
	}
	return undefined;
}
