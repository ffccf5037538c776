import * as pulumi from "@pulumi/pulumi";
import type { Address } from "../../runtime/platform/model.ts";
import { jdbcUrl, pgpassLines, postgresUri } from "../../runtime/postgres/model.ts";

/** Ways to connect to a cluster as one role; all but the JDBC URL hold the password (secret). */
export interface PostgresConnection {
	/** libpq: to whichever member takes writes. */
	uri: pulumi.Output<string>;
	/** libpq: to a standby where there is one. */
	readOnlyUri: pulumi.Output<string>;
	/** JDBC, to whichever member takes writes; credentials go into properties. */
	jdbcUrl: string;
	/** Lines for `~/.pgpass`, one a member; empty for a password with line breaks, which no such file can hold. */
	pgpass: pulumi.Output<string>;
}

export interface ConnectionArgs {
	hosts: readonly Address[];
	user: string;
	password: pulumi.Input<string>;
	database: string;
	/** Whether connections are encrypted: then libpq looks for the CA's certificates in `rootCert`. */
	tls: boolean;
	/** Path of the CA's file on the client's machine. @default "holdfast-ca.pem" in the client's working folder */
	rootCert?: string;
}

/** Connection strings of a whole cluster: they find the leader by themselves, also after a failover. */
export function postgresConnection(args: ConnectionArgs): PostgresConnection {
	const { hosts, user, database, tls, rootCert = "holdfast-ca.pem" } = args;
	const common = { hosts, user, database, ...(tls ? { tls: { rootCert } } : {}) };
	const withPassword = (make: (password: string) => string) => pulumi.secret(pulumi.output(args.password).apply(make));
	return {
		uri: withPassword((password) => postgresUri({ ...common, password, mode: "read-write" })),
		readOnlyUri: withPassword((password) => postgresUri({ ...common, password, mode: "read-only" })),
		jdbcUrl: jdbcUrl({ ...common, mode: "read-write" }),
		pgpass: withPassword((password) => pgpassLines({ ...common, password }) ?? ""),
	};
}
