import { Agent, request } from "undici";
import { Deadline } from "../deadline.ts";
import { describe, HoldfastError } from "../errors.ts";
import { hostport } from "../platform/model.ts";
import {
	type Client,
	type ClusterAddress,
	type ConnectOptions,
	connectTo,
	endSession,
	isFailover,
	isRefused,
	type Login,
	type MemberAddress,
} from "./connect.ts";

/** `sure`: Patroni says that it holds the leader's key. A timeline: the server itself says that it takes writes. */
type Answer = "sure" | "standby" | { timeline: string } | { refused: string } | { silent: string };

const has = <K extends string>(answer: Answer, key: K): answer is Extract<Answer, Record<K, string>> =>
	typeof answer === "object" && key in answer;

interface Asking extends Pick<ClusterAddress, "tls"> {
	logins: readonly Login[];
	askMs: number;
	agent: Agent;
	signal: AbortSignal;
}

/** Asks the member's Patroni, and the server itself where that does not answer. */
async function ask(member: MemberAddress, asking: Asking): Promise<Answer> {
	const said = member.patroni && (await askPatroni(member.patroni, asking));
	if (said !== undefined) return said;
	for (const login of asking.signal.aborted ? [] : asking.logins) {
		const answer = await askServer(member, login, asking);
		if (!has(answer, "refused") || login === asking.logins.at(-1)) return answer;
	}
	return { silent: "its Patroni does not answer" };
}

async function askPatroni(address: { host: string; port: number }, asking: Asking): Promise<Answer | undefined> {
	const { tls, askMs, agent: dispatcher, signal } = asking;
	try {
		const limit = AbortSignal.any([signal, AbortSignal.timeout(askMs)]);
		const url = `${tls ? "https" : "http"}://${hostport(address)}/primary`;
		const { statusCode, body } = await request(url, { dispatcher, signal: limit });
		await body.dump();
		return statusCode === 200 ? "sure" : statusCode === 503 ? "standby" : undefined;
	} catch {
		return undefined;
	}
}

const STANDING = `SELECT CASE WHEN pg_is_in_recovery() THEN NULL ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END AS timeline`;

async function askServer(member: MemberAddress, login: Login, { tls, askMs }: Asking): Promise<Answer> {
	try {
		const client = await connectTo(member, login, { ...(tls ? { tls } : {}), connectMs: askMs, statementMs: askMs });
		try {
			const { rows } = await client.query<{ timeline: string | null }>(STANDING);
			return rows[0]!.timeline === null ? "standby" : { timeline: rows[0]!.timeline };
		} finally {
			await endSession(client);
		}
	} catch (error) {
		return isRefused(error) ? { refused: describe(error) } : { silent: describe(error) };
	}
}

export interface FindOptions {
	/** Milliseconds for one answer; a member is asked twice at most. @default 2000 */
	askMs?: number;
}

/**
 * The member that takes writes now; `undefined` when none says so. All are asked at once. A member whose Patroni holds
 * the leader's key is it at once; without such an answer the one of the newest timeline among those that are not in
 * recovery, since an old leader may not know yet. Throws HF_CREDENTIALS when servers answer only that they refuse all
 * `logins`; without `logins`, nobody but Patroni is asked.
 */
export async function findWritable(
	cluster: ClusterAddress,
	logins: readonly Login[] = [],
	options: FindOptions = {},
): Promise<MemberAddress | undefined> {
	return (await search(cluster, logins, options)).member;
}

/** The member that takes writes, or why there is none. */
interface Found {
	member?: MemberAddress;
	why: string;
}

async function search({ hosts, tls }: ClusterAddress, logins: readonly Login[], { askMs = 2000 }: FindOptions) {
	const found = new AbortController();
	const agent = new Agent(tls ? { connect: { ca: tls.ca } } : {});
	const asking: Asking = { logins, askMs, agent, signal: found.signal, ...(tls ? { tls } : {}) };
	const answers = hosts.map(async (member) => ({ member, answer: await ask(member, asking) }));
	try {
		const sure = answers.map(async (asked): Promise<Found> => {
			const { member, answer } = await asked;
			if (answer !== "sure") throw new Error(`${hostport(member)} does not lead`);
			return { member, why: "" };
		});
		return await Promise.any(sure).catch(async () => newest(await Promise.all(answers)));
	} finally {
		found.abort();
		await agent.destroy();
	}
}

function newest(answers: readonly { member: MemberAddress; answer: Answer }[]): Found {
	const writable = answers.flatMap(({ member, answer }) =>
		has(answer, "timeline") ? [{ member, timeline: answer.timeline }] : [],
	);
	writable.sort((a, b) => (a.timeline < b.timeline ? 1 : -1));
	const reasons = (key: "refused" | "silent") =>
		answers.flatMap(({ member, answer }) =>
			has(answer, key) ? [`${hostport(member)}: ${(answer as Record<string, string>)[key]}`] : [],
		);
	if (writable[0]) return { member: writable[0].member, why: "" };
	const refused = reasons("refused");
	if (refused.length > 0)
		throw new HoldfastError("HF_CREDENTIALS", `every login that is known here is refused (${refused.join("; ")})`);
	return { why: ["none of them takes writes", ...reasons("silent")].join("; ") };
}

export interface WritableOptions extends Omit<ConnectOptions, "tls">, FindOptions {
	/** Milliseconds to wait for a leader: must outlast a failover. @default 30000 */
	findMs?: number;
}

/** A session on the member that takes writes, with the first of `logins` that it accepts. The caller ends it. */
async function connectWritable(
	cluster: ClusterAddress,
	logins: readonly Login[],
	{ findMs = 30_000, askMs, ...options }: WritableOptions,
): Promise<{ client: Client; member: MemberAddress }> {
	const deadline = new Deadline("the search for a leader", findMs);
	const tls = cluster.tls ? { tls: cluster.tls } : {};
	for (;;) {
		let { member, why } = await search(cluster, logins, askMs === undefined ? {} : { askMs });
		for (const login of member ? logins : []) {
			try {
				return { client: await connectTo(member!, login, { ...options, ...tls }), member: member! };
			} catch (error) {
				why = describe(error);
				if (!isRefused(error)) break;
				if (login === logins.at(-1))
					throw new HoldfastError(
						"HF_CREDENTIALS",
						`${hostport(member!)} refuses the login of ${login.user} (${why})`,
						{
							cause: error,
						},
					);
			}
		}
		if (deadline.left() === 0) throw unreachable(cluster, why);
		await deadline.pause(500, why);
	}
}

const unreachable = ({ hosts }: ClusterAddress, why: string, cause?: unknown) =>
	new HoldfastError("HF_UNREACHABLE", `there is no leader to talk to at ${hosts.map(hostport).join(", ")} (${why})`, {
		cause,
	});

/**
 * Runs `fn` on a session of the member that takes writes, and ends the session. When that member fails or steps down
 * meanwhile, looks once more for the leader and runs `fn` from its beginning: it must bear being run twice, also where
 * the first run's commit succeeded unheard. Throws HF_UNREACHABLE without a leader, HF_CREDENTIALS when it refuses all
 * `logins`, and what `fn` throws.
 */
export async function withWritable<T>(
	cluster: ClusterAddress,
	logins: readonly Login[],
	fn: (client: Client, member: MemberAddress) => Promise<T>,
	options: WritableOptions = {},
): Promise<T> {
	for (let attempt = 1; ; attempt++) {
		const { client, member } = await connectWritable(cluster, logins, options);
		try {
			return await fn(client, member);
		} catch (error) {
			if (!isFailover(error)) throw error;
			if (attempt === 2) throw unreachable(cluster, describe(error), error);
		} finally {
			await endSession(client);
		}
	}
}
