import type { IdLedger } from "./ids.ts";
import type { TlsRecord } from "./tls.ts";

/** What this host knows of a replica set it manages; kept by access.ts (0600), written before each change it names. */
export interface MongoRecord {
	/** Replica-set name. */
	name: string;
	/** `host:port` of all members that may hold data. */
	hosts: string[];
	/** Known once initiated or adopted: the proof that a running set is ours. */
	replicaSetId?: string;
	/** Set right before `replSetInitiate`, with the seed's address: an interrupted first build continues from here. */
	initiating?: string;
	admin: { user: string; password: string };
	/** The credential in force until the current one was proved by a login. */
	previousAdmin?: { user: string; password: string };
	/** Keys of the members' key files, newest first; two while they are rotated. */
	keys: string[];
	/** How members speak TLS, and may still speak it while that changes; absent where they do not. */
	tls?: TlsRecord;
	/** `_id` of every host that was ever a member. */
	ids?: IdLedger;
}
