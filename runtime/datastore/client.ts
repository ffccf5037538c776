import type { v1 } from "@google-cloud/datastore-api";

export type DatastoreClient = v1.DatastoreClient;

/**
 * The raw client, connected; loaded when first asked for, as it takes a fifth of a second. To an emulator in plain text
 * and with credentials that are none (without any, the library looks for a metadata server and warns); to the service
 * with application default credentials. Throws what the libraries throw.
 */
export async function openClient(projectId: string, emulator: string | undefined): Promise<DatastoreClient> {
	const { v1 } = await import("@google-cloud/datastore-api");
	const client = new v1.DatastoreClient({ projectId, ...(await plainText(emulator)) });
	// A first call that fails here would end the process as an unhandled rejection.
	await client.initialize();
	return client;
}

async function plainText(emulator: string | undefined) {
	if (emulator === undefined) return {};
	const [{ grpc }, { PassThroughClient }] = await Promise.all([import("google-gax"), import("google-auth-library")]);
	const at = emulator.lastIndexOf(":");
	const servicePath = emulator.slice(0, at).replace(/^https?:\/\//, "");
	return {
		...{ servicePath, port: Number(emulator.slice(at + 1)) },
		...{ sslCreds: grpc.credentials.createInsecure(), authClient: new PassThroughClient() },
	};
}
