import { parse, stringify } from "yaml";
import { HoldfastError } from "../errors.ts";
import { type Address, FOLDER } from "../platform/model.ts";
import type { TlsMode } from "./arguments.ts";

export const CONFIG_FILE = "conf/mongod.conf";
export const KEY_FILE = "conf/keyfile";
/** Below conf/: mongod reads certificates when it starts, so new ones come by a rolling restart. */
export const TLS_FILES = { "ca.pem": "conf/tls/ca.pem", "mongod.pem": "conf/tls/mongod.pem" } as const;

/** Smallest cache that mongod takes; an arbiter holds no data and needs no more. */
const SMALLEST_CACHE_GB = 0.25;

export interface MongodConf {
	replicaSet: string;
	address: Address;
	/** GB. */
	cacheSizeGB: number;
	/** Milliseconds; the server's own default when absent. */
	shutdownTimeoutMillis?: number;
	/** Holds no data: the cache stays at its smallest, so that changing `cacheSizeGB` does not restart it. */
	arbiter?: boolean;
	/** Without it the member speaks no TLS. */
	tls?: TlsMode;
}

/**
 * Text of mongod.conf, a function of slot and address only. The oplog's size is left out on purpose: the file's value
 * counts at a member's first start only, and a change would ask for a restart that has no effect. The runtime sets it
 * on every data member with `replSetResizeOplog` instead, at birth and later alike (an oplog takes disk space only as
 * it fills). zlib is not offered: CVE-2025-14847 reads memory through it.
 */
export function mongodConf({
	replicaSet,
	address,
	cacheSizeGB,
	shutdownTimeoutMillis,
	arbiter = false,
	tls,
}: MongodConf): string {
	const ipv6 = address.host.includes(":") ? { ipv6: true } : {};
	const shutdown =
		shutdownTimeoutMillis === undefined ? {} : { shutdownTimeoutMillisForSignaledShutdown: shutdownTimeoutMillis };
	return stringify(
		{
			net: {
				bindIp: address.host,
				port: address.port,
				...ipv6,
				unixDomainSocket: { enabled: false },
				compression: { compressors: "snappy,zstd" },
				...(tls === undefined ? {} : { tls: netTls(tls) }),
			},
			storage: {
				dbPath: `${FOLDER}/data`,
				wiredTiger: { engineConfig: { cacheSizeGB: arbiter ? SMALLEST_CACHE_GB : cacheSizeGB } },
			},
			replication: { replSetName: replicaSet },
			security: { keyFile: `${FOLDER}/${KEY_FILE}`, authorization: "enabled" },
			systemLog: { destination: "file", path: `${FOLDER}/log/mongod.log`, logAppend: true, logRotate: "reopen" },
			// A supervisor owns the process: it must not fork away.
			processManagement: { fork: false },
			setParameter: { enableLocalhostAuthBypass: false, authenticationMechanisms: "SCRAM-SHA-256", ...shutdown },
		},
		{ lineWidth: 0 },
	);
}

/** Members sign in to each other with the key file, and clients with their password: a certificate is not asked for. */
const netTls = (mode: TlsMode) => ({
	mode: `${mode}TLS`,
	certificateKeyFile: `${FOLDER}/${TLS_FILES["mongod.pem"]}`,
	CAFile: `${FOLDER}/${TLS_FILES["ca.pem"]}`,
	allowConnectionsWithoutCertificates: true,
	disabledProtocols: "TLS1_0,TLS1_1",
});

const KEY = /^[A-Za-z0-9+/=]{6,1024}$/;

/** Text of a key file: one key, or two while they rotate (mongod signs in with the first and accepts both). */
export function keyfileText(keys: readonly string[]): string {
	if (keys.length < 1 || keys.length > 2 || !keys.every((key) => KEY.test(key))) {
		throw new HoldfastError("HF_SETTING", "keyfile holds one or two keys of 6 to 1024 base64 characters each");
	}
	return keys.length === 1 ? `${keys[0]}\n` : keys.map((key) => `- ${key}\n`).join("");
}

/** Keys of a key file in its order, as mongod reads them: plain text with any white space, or a YAML list. */
export function parseKeyfile(text: string): string[] {
	if (!text.trimStart().startsWith("-")) return [text.replace(/\s/g, "")].filter((key) => key !== "");
	const keys: unknown = parse(text, { schema: "failsafe" });
	return Array.isArray(keys) ? keys.map((key) => String(key).replace(/\s/g, "")).filter((key) => key !== "") : [];
}
