import type * as pulumi from "@pulumi/pulumi";
import type { Access, Address } from "../../runtime/platform/model.ts";
import type { DatabaseInputs, DatabaseOutputs, RoleInputs, RoleOutputs } from "../../runtime/postgres/model.ts";
import { Managed, provider, type Wrapped } from "../dynamic.ts";

const shims = { role: provider("postgres/Role"), database: provider("postgres/Database") };

/** What roles and databases need of the cluster that they are on; a `PatroniCluster` is one. */
export interface PostgresReference {
	/** How the runtime finds it. */
	readonly access: Access;
	/** PostgreSQL of all members, for connection strings. */
	readonly hosts: readonly Address[];
	/** Waited for, and what they are deleted with. */
	readonly membership: pulumi.Resource;
	/** With TLS: the CAs that clients verify servers with. */
	readonly ca?: pulumi.Output<string>;
}

/** A role on the server; `PostgresRole` adds the password and the connection strings. */
export class Role extends Managed<RoleOutputs> {
	constructor(name: string, args: Wrapped<RoleInputs>, opts?: pulumi.CustomResourceOptions) {
		super(shims.role, "postgres/Role", { ledger: "plain" }, name, args, opts);
	}
}

/** A database on the server, what is in it, and who may do what there. */
export class Database extends Managed<DatabaseOutputs> {
	constructor(name: string, args: Wrapped<DatabaseInputs>, opts?: pulumi.CustomResourceOptions) {
		super(shims.database, "postgres/Database", { ledger: "plain" }, name, args, opts);
	}
}
