import { keyOf } from "../../runtime/datastore/key.ts";
import { openSource } from "../../runtime/datastore/open.ts";
import type { DatastoreSource, SourceOptions } from "../../runtime/datastore/source.ts";
import { encodeKey } from "../../runtime/migrate/oldKey.ts";
import { type Answers, DatastoreServer } from "./datastoreServer.ts";
import { int, key, PROJECT } from "./datastoreValues.ts";

/** Tries that are over at once. */
export const PATIENT = { deadline: 2_000, first: 1, longest: 5, attempts: 4 };
export const RANGE = { namespace: "", kind: "A" };

export const own = (id: number) => ({ entity: { key: key("A", id), properties: { n: int(id) } } });
export const batch = (ids: number[], moreResults = "NO_MORE_RESULTS", rest: object = {}) => ({
	batch: { entityResults: ids.map(own), moreResults, entityResultType: "FULL", ...rest },
});
export const ids = (keys: readonly Buffer[]) => keys.map((one) => one.readUIntBE(one.length - 6, 6));
export const encoded = (id: number) => encodeKey(keyOf(key("A", id)));

const opened: (DatastoreSource | DatastoreServer)[] = [];

export async function serve(answers: Answers): Promise<DatastoreServer> {
	const server = await DatastoreServer.start(answers);
	opened.push(server);
	return server;
}

export async function open(
	server: DatastoreServer,
	options: Partial<SourceOptions> = {},
	patience = PATIENT,
): Promise<DatastoreSource> {
	const source = await openSource({ project: PROJECT, emulator: server.address, ...options }, patience);
	opened.push(source);
	return source;
}

/** Closes what `open` and `serve` gave, the last first. */
export async function closeAll(): Promise<void> {
	for (const one of opened.splice(0).reverse()) await ("stop" in one ? one.stop() : one.close());
}
