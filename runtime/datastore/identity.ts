import type { DatastoreSource } from "./source.ts";

/** A Datastore as a declaration names it. */
interface Named {
	project: string;
	/** "" is the default database. */
	database?: string | undefined;
	/** `host:port`. @default the environment's DATASTORE_EMULATOR_HOST */
	emulator?: string | undefined;
}

/** Which source is meant: its name and, where it is an emulator, the address. Nothing is asked of it. */
export function identityOf({ project, database = "", emulator }: Named): Pick<DatastoreSource, "name" | "emulator"> {
	const address = emulator ?? (process.env.DATASTORE_EMULATOR_HOST || undefined);
	return {
		name: `projects/${project}/databases/${database}`,
		...(address !== undefined && { emulator: address }),
	};
}
