import { MongoClient, type MongoClientOptions, MongoError, MongoServerError } from "mongodb";
import { describe, HoldfastError } from "../errors.ts";
import type { MongoRecord } from "./record.ts";
import { tlsOptions } from "./tls.ts";

export interface Credential {
	user: string;
	password: string;
	/** Database that holds the user. */
	source: string;
}

/**
 * The members' own user, whose password is the key file's text. Used to initiate, to create the first admin and to
 * recover a lost admin password, and for nothing else.
 */
export const systemCredential = (key: string): Credential => ({ user: "__system", password: key, source: "local" });

export const adminCredential = (admin: MongoRecord["admin"]): Credential => ({ ...admin, source: "admin" });

const TIMEOUTS: MongoClientOptions = {
	serverSelectionTimeoutMS: 3000,
	connectTimeoutMS: 3000,
	socketTimeoutMS: 60_000,
	heartbeatFrequencyMS: 1000,
	appName: "holdfast",
	maxPoolSize: 2,
};

const auth = (credential?: Credential): MongoClientOptions =>
	credential
		? {
				auth: { username: credential.user, password: credential.password },
				authSource: credential.source,
				authMechanism: "SCRAM-SHA-256",
			}
		: {};

/** A client of exactly one member, whatever its state. The caller closes it. */
export function directClient(host: string, credential?: Credential, options: MongoClientOptions = {}): MongoClient {
	return new MongoClient(`mongodb://${host}/`, {
		...TIMEOUTS,
		...options,
		...auth(credential),
		directConnection: true,
	});
}

/** A client of the whole set; majority writes, retried once by the driver. The caller closes it. */
export function setClient(
	{ name, hosts, tls }: Pick<MongoRecord, "name" | "hosts" | "tls">,
	credential: Credential,
	{ selectionMs = 30_000 } = {},
): MongoClient {
	const selection = { serverSelectionTimeoutMS: selectionMs, ...tlsOptions(tls) };
	const write = { writeConcern: { w: "majority", wtimeoutMS: 30_000 } as const };
	const uri = `mongodb://${hosts.join(",")}/`;
	return new MongoClient(uri, { ...TIMEOUTS, ...selection, ...write, ...auth(credential), replicaSet: name });
}

/** Runs `fn` and closes the client, also after a failure. */
export async function using<T>(client: MongoClient, fn: (client: MongoClient) => Promise<T>): Promise<T> {
	try {
		return await fn(client);
	} finally {
		await client.close();
	}
}

/** Whether the server said that the credential is wrong; any other failure is not an answer. */
export const isRefused = (error: unknown): boolean =>
	error instanceof MongoServerError && (error.code === 18 || error.code === 13);

/** Whether nobody answered, or the connection broke before an answer. */
export const isUnreachable = (error: unknown): boolean =>
	error instanceof MongoError && !(error instanceof MongoServerError);

/** Whether `credential` is accepted; throws HF_UNREACHABLE when nobody answers. */
export async function logsIn(client: MongoClient): Promise<boolean> {
	return using(client, async () => {
		try {
			await client.db("admin").command({ ping: 1 });
			return true;
		} catch (error) {
			// The driver itself refuses what no server takes, e.g. control characters in a password.
			if (isRefused(error) || !(error instanceof MongoError)) return false;
			throw new HoldfastError("HF_UNREACHABLE", `no answer to a login (${describe(error)})`, { cause: error });
		}
	});
}

/** Runs `fn` as admin on the set, with the current credential, else the previous one; waits `selectionMs` for a primary. */
export async function withAdmin<T>(
	record: MongoRecord,
	fn: (client: MongoClient) => Promise<T>,
	{ selectionMs = 30_000 } = {},
): Promise<T> {
	const candidates = [record.admin, record.previousAdmin].filter((admin) => admin !== undefined);
	for (const admin of candidates) {
		const client = setClient(record, adminCredential(admin), { selectionMs });
		try {
			await client.connect();
		} catch (error) {
			await client.close();
			if (isRefused(error)) continue;
			throw new HoldfastError(
				"HF_UNREACHABLE",
				`replica set ${record.name} has no reachable primary at ${record.hosts.join(", ")}`,
				{
					cause: error,
				},
			);
		}
		return using(client, fn);
	}
	throw new HoldfastError("HF_CREDENTIALS", `replica set ${record.name} refuses the admin ${record.admin.user}`, {
		next: "run holdfast up: it restores the admin's password through the members' key file",
	});
}
