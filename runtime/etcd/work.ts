import type { Access } from "../access.ts";
import type { Deadline } from "../deadline.ts";
import type { Host } from "../platform/host.ts";
import type { EtcdCredential } from "./gateway.ts";
import type { EtcdRecord } from "./record.ts";
import type { DesiredVoters } from "./state.ts";
import type { EtcdTls } from "./transport.ts";

/** Everything that a verb on one etcd cluster needs. */
export interface EtcdWork {
	access: Access;
	host: Host;
	desired: DesiredVoters;
	/** Members of the platform that do not vote (any more): data they may have is set aside. @default none */
	others?: readonly string[];
	/** Names of voters that stay though they are not desired. @default none */
	keep?: readonly string[];
	/** `undefined` before the cluster was begun. */
	record?: EtcdRecord;
	/** Makes the record last; called before each effect that it names. */
	save(record: EtcdRecord): Promise<void>;
	/** Of root, the newest first; a cluster without users takes any. */
	credentials?: readonly EtcdCredential[];
	tls?: EtcdTls;
	deadline: Deadline;
}

/** What is remembered lasts before anything happens that relies on it. */
export async function keep(work: EtcdWork, record: EtcdRecord): Promise<void> {
	await work.save(record);
	work.record = record;
}
