import * as pulumi from "@pulumi/pulumi";
import type { RoleInputs } from "../../runtime/postgres/model.ts";
import { type SecretSource, secretValue } from "../secret.ts";
import { type PostgresConnection, postgresConnection } from "./connection.ts";
import { type PostgresReference, Role } from "./objects.ts";

type Membership = RoleInputs["memberOf"][number];

export interface PostgresRoleArgs {
	cluster: PostgresReference;
	/** Any name of 1 to 63 bytes. @default the resource's name */
	role?: string;
	/** Whether it is for connections; a role that is not has no password and is for others to be members of. @default true */
	login?: boolean;
	/** @default generated, 32 bytes */
	password?: SecretSource;
	/** Roles that it is a member of, all of them: others are revoked. @default [] */
	memberOf?: (string | Membership)[];
	/** Whether it has the privileges of those roles without SET ROLE. @default true */
	inherit?: boolean;
	/** Whether it may create databases. @default false */
	createdb?: boolean;
	/** Whether it may create roles. @default false */
	createrole?: boolean;
	/** Whether it may replicate. @default false */
	replication?: boolean;
	/** Whether row-level security is not for it. @default false */
	bypassrls?: boolean;
	/** Whether it may do everything there is: for tools that cannot do with less. @default false */
	superuser?: boolean;
	/** Connections at a time; -1 is no limit. @default -1 */
	connectionLimit?: number;
	/** The password is refused from then on. @default never */
	validUntil?: string;
	/** All settings of its sessions, as in postgresql.conf. @default {} */
	settings?: Record<string, string>;
	/** Database that its connection strings open. @default "postgres" */
	defaultDatabase?: string;
	/** Path of the CA's file on the client's machine, for a cluster with TLS. @default "holdfast-ca.pem" in the client's working folder */
	rootCert?: string;
	/** Take over a role of this name that somebody else made. @default false */
	adopt?: boolean;
}

/** A role with its password and connection strings. */
export class PostgresRole extends pulumi.ComponentResource {
	/** The role's name, for grants and owners. */
	readonly role: string;
	/** Absent without `login`, like the next four (secret). */
	readonly password?: pulumi.Output<string>;
	/** libpq: to whichever member takes writes, password included (secret). */
	readonly uri?: pulumi.Output<string>;
	/** JDBC: to whichever member takes writes; credentials go into properties. */
	readonly jdbcUrl?: string;
	/** libpq: to a standby where there is one, password included (secret). */
	readonly readOnlyUri?: pulumi.Output<string>;
	/** Lines for `~/.pgpass`, one a member (secret). */
	readonly pgpass?: pulumi.Output<string>;

	constructor(name: string, args: PostgresRoleArgs, opts?: pulumi.ComponentResourceOptions) {
		const { cluster, ...declared } = args;
		// The cluster itself stays out of the arguments: as its child, this role would wait for itself.
		super("holdfast:postgres:Role", name, declared, opts);
		const { role = name, login = true, password: source = { kind: "generated" } } = args;
		this.role = role;
		const parent = { parent: this };
		if (login) this.password = secretValue(`${cluster.access.cluster}-role-${name}`, source, parent);
		const generation = !login || source.kind === "given" ? {} : { generation: source.generation ?? 1 };
		const password = this.password ? { password: this.password } : {};
		const own = { access: cluster.access, role, login, ...attributesOf(args), ...password, ...generation };
		const { membership } = cluster;
		// What a component waits for does not reach its children by itself: on removal, roles would go before what they own.
		const after = pulumi.mergeOptions({ dependsOn: [membership] }, { dependsOn: opts?.dependsOn ?? [] });
		new Role(name, own, { ...parent, ...after, deletedWith: membership });
		if (this.password) {
			const connection = connectionOf(args, role, this.password);
			this.uri = connection.uri;
			this.readOnlyUri = connection.readOnlyUri;
			this.jdbcUrl = connection.jdbcUrl;
			this.pgpass = connection.pgpass;
		}
		this.registerOutputs({ role, uri: this.uri, jdbcUrl: this.jdbcUrl });
	}
}

/** What is not of the password, with its defaults. */
function attributesOf({ createdb, createrole, replication, bypassrls, superuser, ...args }: PostgresRoleArgs) {
	const { inherit = true, connectionLimit = -1, memberOf = [], settings = {}, adopt = false, validUntil } = args;
	const allowed = { createdb, createrole, replication, bypassrls, superuser };
	return {
		...{ inherit, connectionLimit, settings, adopt },
		...{ createdb: false, createrole: false, replication: false, bypassrls: false, superuser: false },
		...Object.fromEntries(Object.entries(allowed).filter(([, value]) => value !== undefined)),
		memberOf: memberOf.map((membership) => (typeof membership === "string" ? { role: membership } : membership)),
		...(validUntil === undefined ? {} : { validUntil }),
	};
}

function connectionOf(
	{ cluster, rootCert, defaultDatabase: database = "postgres" }: PostgresRoleArgs,
	user: string,
	password: pulumi.Output<string>,
): PostgresConnection {
	const tls = { tls: cluster.ca !== undefined, ...(rootCert === undefined ? {} : { rootCert }) };
	return postgresConnection({ hosts: cluster.hosts, user, password, database, ...tls });
}
