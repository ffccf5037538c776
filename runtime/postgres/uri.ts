import { HoldfastError } from "../errors.ts";
import { type Address, hostport } from "../platform/model.ts";

export type UriMode = "read-write" | "read-only";

export interface UriTls {
	/** Path of the CA's file on the client's machine, or `system`. */
	rootCert: string;
}

export interface UriParts {
	/** All members: the client finds the right one, also after a failover. */
	hosts: readonly Address[];
	user: string;
	/** Any characters but NUL. */
	password: string;
	database: string;
	/** `read-write`: the leader. `read-only`: a standby, or the leader when there is none. */
	mode: UriMode;
	tls?: UriTls;
	/** Further libpq options; they replace the defaults. `load_balance_hosts: "random"` spreads readers; libpq before 16 refuses it. */
	options?: Readonly<Record<string, string | number>>;
}

/**
 * Time-outs in seconds (`tcp_user_timeout`: ms) after which a dead server is noticed. None of them ends a commit that
 * waits for a standby: only a deadline of the client's own does.
 */
const patience = {
	connect_timeout: 3,
	keepalives_idle: 10,
	keepalives_interval: 5,
	keepalives_count: 3,
	tcp_user_timeout: 15_000,
};

/** RFC 3986 with nothing but unreserved characters left: safe in every driver, in quotes and in YAML. */
function encode(text: string): string {
	if (text.includes("\0")) throw new HoldfastError("HF_SETTING", "a connection string cannot hold a NUL character");
	return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

const query = (options: Readonly<Record<string, string | number>>): string =>
	Object.entries(options)
		.map(([key, value]) => `${encode(key)}=${encode(String(value))}`)
		.join("&");

/** libpq connection string of a whole cluster (PostgreSQL 14 and later). Holds the password. */
export function postgresUri({ hosts, user, password, database, mode, tls, options }: UriParts): string {
	const text = query({
		target_session_attrs: mode === "read-write" ? "read-write" : "prefer-standby",
		...patience,
		...(tls ? { sslmode: "verify-full", sslrootcert: tls.rootCert, channel_binding: "require" } : {}),
		...options,
	});
	const credentials = `${encode(user)}:${encode(password)}`;
	return `postgresql://${credentials}@${hosts.map(hostport).join(",")}/${encode(database)}?${text}`;
}

/** JDBC URL of a whole cluster, without credentials: Java takes them as properties. `socketTimeout` (s) also ends hung commits. */
export function jdbcUrl({ hosts, database, mode, tls, options }: Omit<UriParts, "user" | "password">): string {
	const text = query({
		...(mode === "read-write"
			? { targetServerType: "primary" }
			: { targetServerType: "preferSecondary", loadBalanceHosts: "true" }),
		connectTimeout: patience.connect_timeout,
		tcpKeepAlive: "true",
		...(tls ? { sslmode: "verify-full", sslrootcert: tls.rootCert, channelBinding: "require" } : {}),
		...options,
	});
	return `jdbc:postgresql://${hosts.map(hostport).join(",")}/${encode(database)}?${text}`;
}

/** Lines of a pgpass file, one a member; `undefined` for what no such line can hold: breaks, NUL. */
export function pgpassLines({ hosts, user, password, database }: Omit<UriParts, "mode">): string | undefined {
	if (/[\0\r\n]/.test(user + password + database)) return undefined;
	const field = (text: string | number) => String(text).replace(/[:\\]/g, "\\$&");
	return hosts.map(({ host, port }) => `${[host, port, database, user, password].map(field).join(":")}\n`).join("");
}
