import { MongoClient } from "mongodb";

/** A client that is closed after `fn`. */
export async function withMongo<T>(uri: string, fn: (client: MongoClient) => Promise<T>): Promise<T> {
	const client = new MongoClient(uri, { serverSelectionTimeoutMS: 20_000 });
	try {
		return await fn(client);
	} finally {
		await client.close();
	}
}

/** The set's admin, from the record on this host. */
export function adminUri(
	record: { admin: { user: string; password: string }; hosts: string[] },
	host?: string,
): string {
	const { user, password } = record.admin;
	const hosts = host ?? record.hosts.join(",");
	const how = host ? "directConnection=true" : "replicaSet=rs0";
	return `mongodb://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${hosts}/?authSource=admin&${how}`;
}

/** `host:port` of the member that is primary now. */
export const primaryOf = (record: Parameters<typeof adminUri>[0]): Promise<string> =>
	withMongo(adminUri(record), async (client) => (await client.db("admin").command({ hello: 1 })).primary);

/** The set's election term: it grows with every election. */
export const termOf = (record: Parameters<typeof adminUri>[0]): Promise<number> =>
	withMongo(adminUri(record), async (client) =>
		Number((await client.db("admin").command({ replSetGetStatus: 1 })).term),
	);
