import { parse, stringify } from "yaml";
import { type Address, FOLDER, hostport } from "../platform/model.ts";

/** Static configuration, from the program: every start but the first. */
export const ETCD_FILE = "conf/etcd/etcd.yml";
/** The CAs whose certificates etcd takes; a change counts after a restart. */
export const ETCD_CA_FILE = "conf/etcd/ca.pem";
/** The same with what the first start needs: with --config-file etcd ignores arguments and environment. */
export const ETCD_JOIN_FILE = "live/etcd-join.yml";
export const ETCD_DATA = "data/etcd";
/** What a start that failed may leave behind, too. */
export const ETCD_FOLDER = `${ETCD_DATA}/member`;
/** Evidence that a member has begun: etcd renames its first write-ahead log into place, whole. */
export const ETCD_EVIDENCE = `${ETCD_FOLDER}/wal`;

/**
 * Patroni keeps a few hundred kilobytes; etcd holds all of it in memory, and every membership change saves a snapshot.
 * A client that runs away is stopped here instead of at etcd's own 2 GiB.
 */
const QUOTA_BYTES = 256 * 1024 * 1024;

/** Milliseconds between a leader's heartbeats, and without one until an election. */
export interface EtcdTiming {
	heartbeat: number;
	election: number;
}
export const etcdTimings = {
	lan: { heartbeat: 100, election: 1000 },
	wan: { heartbeat: 300, election: 3000 },
} as const satisfies Record<string, EtcdTiming>;

export interface EtcdYml {
	/** Name of the platform's member, too. */
	name: string;
	/** Where clients reach it. */
	client: Address;
	/** Where the other members reach it. */
	peer: Address;
	/** IP address to listen on; etcd takes no host name there. @default the hosts of `client` and `peer` */
	listenHost?: string;
	/** @default lan */
	timing?: EtcdTiming;
	/** Bytes of the database from which etcd takes no more writes. @default 256 MiB */
	quotaBytes?: number;
	/** Clients and peers prove who they are with certificates of the CAs in `conf/etcd/ca.pem`. @default false */
	tls?: boolean;
}

export const etcdURL = (address: Address, tls = false): string => `${tls ? "https" : "http"}://${hostport(address)}`;

/**
 * Text of etcd.yml, a function of slot and address only. `initial-cluster-state: existing` counts where there is no
 * data: a plain start then fails, instead of beginning a second cluster with itself alone, as etcd's default does.
 */
export function etcdYml({ name, client, peer, listenHost, timing = etcdTimings.lan, ...more }: EtcdYml): string {
	const { tls = false, quotaBytes = QUOTA_BYTES } = more;
	const listen = (address: Address) => etcdURL({ ...address, host: listenHost ?? address.host }, tls);
	return stringify(
		{
			name,
			"data-dir": `${FOLDER}/${ETCD_DATA}`,
			"listen-client-urls": listen(client),
			"advertise-client-urls": etcdURL(client, tls),
			"listen-peer-urls": listen(peer),
			"initial-advertise-peer-urls": etcdURL(peer, tls),
			"initial-cluster-state": "existing",
			"strict-reconfig-check": true,
			"heartbeat-interval": timing.heartbeat,
			"election-timeout": timing.election,
			"quota-backend-bytes": quotaBytes,
			"auto-compaction-mode": "periodic",
			"auto-compaction-retention": "1h",
			...logging,
			...(tls ? security : {}),
		},
		{ lineWidth: 0 },
	);
}

/** etcd cannot reopen its log: it rotates it itself, at half the size at which the platform would step in. */
const logging = {
	"log-outputs": [`${FOLDER}/log/etcd.log`],
	"enable-log-rotation": true,
	"log-rotation-config-json": JSON.stringify({ maxsize: 8, maxbackups: 5 }),
};

const file = (name: string): string => `${FOLDER}/live/tls/${name}`;
/**
 * etcd's own certificates are for servers and for clients: peers call each other, the gateway inside calls its server.
 * No certificate that a client shows may have a CommonName: the gateway refuses it once users exist.
 */
const security = {
	"client-transport-security": {
		...{ "cert-file": file("etcd.crt"), "key-file": file("etcd.key") },
		...{ "client-cert-auth": true, "trusted-ca-file": `${FOLDER}/${ETCD_CA_FILE}` },
	},
	"peer-transport-security": {
		...{ "cert-file": file("peer.crt"), "key-file": file("peer.key") },
		...{ "client-cert-auth": true, "trusted-ca-file": `${FOLDER}/${ETCD_CA_FILE}` },
	},
};

export interface FirstStart {
	/** All members, `name=peer URL`, comma-separated. */
	initialCluster: string;
	state: "new" | "existing";
	token: string;
}

/** Text for a first start: the static text and what is known only then. */
export function joinYml(text: string, { initialCluster, state, token }: FirstStart): string {
	const first = { "initial-cluster": initialCluster, "initial-cluster-state": state, "initial-cluster-token": token };
	return stringify({ ...parse(text), ...first }, { lineWidth: 0 });
}
