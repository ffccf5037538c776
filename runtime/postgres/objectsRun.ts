import { type Access, readRecord } from "../access.ts";
import { describe, HoldfastError } from "../errors.ts";
import { stackLog } from "../log.ts";
import { type Client, isAnswer, isFailover, type Session } from "./connect.ts";
import type { Refusal, Statement } from "./objectLedger.ts";
import type { PostgresRecord } from "./record.ts";
import { type WritableOptions, withWritable } from "./writable.ts";

/**
 * Runs `fn` as superuser on the leader, with the current credential, else the previous one; once more from its beginning
 * after a failover (see withWritable).
 */
export async function withLeader<T>(
	record: PostgresRecord,
	fn: (client: Client) => Promise<T>,
	options: WritableOptions = {},
): Promise<T> {
	const logins = [record.superuser, record.previousSuperuser].filter((login) => login !== undefined);
	return withWritable(record, logins, fn, { ...options, admin: true });
}

/** Looking does not wait for a failover: a cluster without leader shows as drift of the cluster. */
const LOOK: WritableOptions = { findMs: 0 };

/**
 * What `look` finds on the leader. `undefined` where this host knows no such cluster; `"hidden"` where the cluster is
 * down or refuses its superuser: that is drift of the cluster, of its objects nothing can be said.
 */
export async function lookAt<T>(
	access: Access,
	look: (client: Client) => Promise<T>,
	database?: string,
): Promise<T | "hidden" | undefined> {
	const record = await readRecord<PostgresRecord>(access);
	if (!record) return undefined;
	try {
		return await withLeader(record, look, { ...LOOK, ...(database === undefined ? {} : { database }) });
	} catch (error) {
		if (error instanceof HoldfastError && ["HF_UNREACHABLE", "HF_CREDENTIALS"].includes(error.code)) return "hidden";
		throw error;
	}
}

/** Runs `fn` in one transaction: all of it, or nothing. */
export async function transaction<T>(session: Session, fn: () => Promise<T>): Promise<T> {
	await session.query("BEGIN");
	try {
		const result = await fn();
		await session.query("COMMIT");
		return result;
	} catch (error) {
		await session.query("ROLLBACK").catch(() => {});
		throw error;
	}
}

/** server_version_num of the connected server. */
export async function versionOf(session: Session): Promise<number> {
	const { rows } = await session.query<{ server_version_num: string }>("SHOW server_version_num");
	return Number(rows[0]!.server_version_num);
}

export function refuse({ code, why, next }: Refusal): never {
	throw new HoldfastError(code, why, { next });
}

/** Carries out statements one by one; `object` is what they change, as in "role app". Logged is what each does, never its text. */
export async function carryOut(session: Session, access: Access, object: string, statements: readonly Statement[]) {
	if (statements.length === 0) return;
	const change = statements.map(({ what }) => what);
	stackLog(access.stack).info({ cluster: access.cluster, object, change }, `change ${object}`);
	for (const { what, sql } of statements) {
		try {
			await session.query(sql);
		} catch (error) {
			throw rejected(error, object, what);
		}
	}
}

/** 2BP01: something else would have to go with it. */
const DEPENDED_ON = "2BP01";

/** The server's refusal in our words; what is no answer of the server goes on as it is. */
function rejected(error: unknown, object: string, what: string): unknown {
	if (!isAnswer(error) || isFailover(error)) return error;
	const { code, detail } = error as { code?: string; detail?: string };
	const more = code === DEPENDED_ON && detail ? `: ${detail.replaceAll("\n", "; ")}` : "";
	const message = `the server does not change ${object} (${what}): ${describe(error)}${more}`;
	if (code !== DEPENDED_ON) return new HoldfastError("HF_REJECTED", message, { cause: error });
	const next = "remove what depends on it first, or declare it again";
	return new HoldfastError("HF_UNSAFE", message, { next, cause: error });
}
