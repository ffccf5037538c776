import { type Address, FOLDER, hostport } from "../platform/model.ts";
import { dynamicConfig } from "./dynamic.ts";
import { pgHba } from "./hba.ts";
import type { PatroniSettings } from "./settings.ts";
import { yamlText } from "./yamlText.ts";

export const PATRONI_FOLDER = "live/patroni";
export const PATRONI_FILE = `${PATRONI_FOLDER}/10-patroni.yml`;
/** PGDATA. */
export const DATA_FOLDER = "data/postgres";
/** Patroni's user in etcd and in the members' REST APIs. */
export const PATRONI_USER = "patroni";
/** Key prefix of all clusters in etcd; with the scope behind it, that of one. */
export const NAMESPACE = "/service/";

export interface PatroniYml {
	settings: PatroniSettings;
	/** The member's name: its identity in etcd, its `application_name`, and the name of its replication slot. */
	name: string;
	addresses: { postgres: Address; patroni: Address };
	/** etcd's client addresses, the member's own first where it has one. */
	etcd: readonly Address[];
}

const inFolder = (path: string): string => `${FOLDER}/${path}`;
const certificate = (role: string) => ({
	certfile: inFolder(`live/tls/${role}.crt`),
	keyfile: inFolder(`live/tls/${role}.key`),
});
const CA = inFolder("live/tls/ca.pem");

/**
 * Text of the member's Patroni configuration, passwords apart: a function of settings, slot and addresses. Patroni takes
 * most of it up on reload; `name`, `scope`, `namespace`, `data_dir` and etcd's hosts count at its start (etcd's members it
 * learns from etcd itself later). `bootstrap` counts once in a cluster's life. PostgreSQL's programs it finds on its PATH.
 */
export function patroniYml({ settings, name, addresses, etcd }: PatroniYml): string {
	const tls = settings.tls !== undefined;
	// It also calls the other members with the certificate of its own server.
	const own = certificate("patroni");
	return yamlText({
		scope: settings.name,
		namespace: NAMESPACE,
		name,
		// Smaller than what the platform rotates: Patroni does that itself, and no signal makes it reopen its log.
		log: { level: "INFO", dir: inFolder("log"), file_size: 8 * 1024 * 1024, file_num: 4, mode: 0o600 },
		restapi: {
			...served(addresses.patroni),
			authentication: { username: PATRONI_USER },
			// Whoever may read health needs no certificate; whoever changes something needs one and the password.
			...(tls ? { ...own, cafile: CA, verify_client: "optional" } : {}),
		},
		...(tls ? { ctl: { cacert: CA, ...own } } : {}),
		etcd3: {
			hosts: etcd.map(hostport),
			username: PATRONI_USER,
			...(tls ? { protocol: "https", cacert: CA, ...etcdClient() } : { protocol: "http" }),
		},
		bootstrap: { dcs: dynamicConfig(settings), initdb: initdb(settings.version) },
		postgresql: postgresql(settings, addresses.postgres, tls),
		watchdog: { mode: settings.watchdog, device: "/dev/watchdog", safety_margin: 5 },
	});
}

const etcdClient = () => {
	const { certfile: cert, keyfile: key } = certificate("etcd-client");
	return { cert, key };
};

const served = (address: Address) => ({ listen: hostport(address), connect_address: hostport(address) });

/** Collation that does not depend on the machine's libc: indexes would break on the next machine, unnoticed. */
function initdb(version: number) {
	const locale =
		version >= 17
			? [{ "locale-provider": "builtin" }, { "builtin-locale": "C.UTF-8" }, { locale: "C" }]
			: [{ locale: "C" }];
	return [
		"data-checksums",
		{ encoding: "UTF8" },
		...locale,
		{ "auth-host": "scram-sha-256" },
		{ "auth-local": "scram-sha-256" },
	];
}

function postgresql(settings: PatroniSettings, address: Address, tls: boolean) {
	const { superuser, replicationUser, rewindUser } = settings;
	const { certfile: sslcert, keyfile: sslkey } = certificate("client");
	const verify = tls ? { sslmode: "verify-full", sslrootcert: CA, channel_binding: "require" } : {};
	const certified = tls ? { ...verify, sslcert, sslkey } : {};
	return {
		...served(address),
		data_dir: inFolder(DATA_FOLDER),
		pgpass: inFolder("run/pgpass"),
		authentication: {
			superuser: { username: superuser, ...verify },
			replication: { username: replicationUser, ...certified },
			rewind: { username: rewindUser, ...certified },
		},
		// The path of a socket has at most 107 bytes, and a member's folder can be deeper: connections are TCP only.
		use_unix_socket: false,
		use_unix_socket_repl: false,
		parameters: {
			unix_socket_directories: "",
			log_directory: inFolder("log"),
			...(tls ? serverTls() : { ssl: "off" }),
		},
		pg_hba: pgHba({ replicationUser, rewindUser, tls }),
		create_replica_methods: ["basebackup"],
		// Otherwise a new member waits for the leader's next checkpoint, up to minutes.
		basebackup: [{ checkpoint: "fast" }],
		remove_data_directory_on_rewind_failure: settings.removeDataDirectoryOnRewindFailure,
		remove_data_directory_on_diverged_timelines: settings.removeDataDirectoryOnDivergedTimelines,
	};
}

function serverTls() {
	const { certfile, keyfile } = certificate("postgres");
	return {
		ssl: "on",
		ssl_ca_file: CA,
		ssl_cert_file: certfile,
		ssl_key_file: keyfile,
		ssl_min_protocol_version: "TLSv1.2",
	};
}
