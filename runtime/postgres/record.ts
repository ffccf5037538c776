import type { EtcdRecord } from "../etcd/record.ts";
import type { Address } from "../platform/model.ts";
import type { ClusterAddress, Login } from "./connect.ts";
import type { JsonObject } from "./dynamic.ts";

/** A member as clients and the runtime reach it. */
export interface RecordedMember {
	/** Its name on the platform, in Patroni and in etcd. */
	name: string;
	host: string;
	port: number;
	patroni: Address;
}

/** What this host knows of a Patroni cluster it manages; kept by access.ts (0600), written before each change it names. */
export interface PostgresRecord extends ClusterAddress {
	/** Tells records of different systems apart. */
	system: "postgres";
	/** Patroni's name for the cluster. */
	scope: string;
	hosts: readonly RecordedMember[];
	/** Given by initdb: the proof that a running cluster is ours. */
	systemIdentifier?: string;
	/** Major version of its data. */
	version?: number;
	/** Names of Patroni's own roles. */
	users?: { superuser: string; replication: string; rewind: string };
	/** Set right before a cluster is begun, with the first member's name: an interrupted first build continues from here. */
	initiating?: string;
	superuser: Login;
	/** The credential in force until the current one was proved by a login. */
	previousSuperuser?: Login;
	/** Patroni's REST API, for what changes something. */
	restapi: Login;
	previousRestapi?: Login;
	/** What is known of the members' etcd; absent where somebody else runs it. */
	etcd?: EtcdRecord;
	/** Password of etcd's user `root`. */
	etcdRoot?: string;
	/** What was last set in Patroni's `/config`: what is gone from the program is removed there. */
	dynamic?: JsonObject;
}
