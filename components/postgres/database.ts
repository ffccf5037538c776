import type * as pulumi from "@pulumi/pulumi";
import type { DatabaseInputs } from "../../runtime/postgres/model.ts";
import { Database, type PostgresReference } from "./objects.ts";

export interface PostgresDatabaseArgs {
	cluster: PostgresReference;
	/** Any name of 1 to 63 bytes. @default the resource's name */
	database?: string;
	/** Role that owns it. @default the cluster's superuser; left alone in an adopted database */
	owner?: string;
	/** Schemas in it, by name; one that this program made and no longer lists is dropped if it is empty. @default {} */
	schemas?: DatabaseInputs["schemas"];
	/** Extensions in it, by name; one that this program made and no longer lists is dropped. @default {} */
	extensions?: DatabaseInputs["extensions"];
	/** Who may do what: exact for the roles and objects named, others are left alone. @default [] */
	grants?: DatabaseInputs["grants"];
	/** All settings of its sessions, as in postgresql.conf. @default {} */
	settings?: Record<string, string>;
	/** Connections at a time; -1 is no limit. @default -1 */
	connectionLimit?: number;
	/** Whether anybody may connect; while not, what is inside is left alone. @default true */
	allowConnections?: boolean;
	/** Take over a database of this name that somebody else made. @default false */
	adopt?: boolean;
	/** Drop it, with its data, when it is removed from the program. Without this the removal is refused. @default false */
	dropOnDelete?: boolean;
}

/** A database; roles that it names are declared first, and it depends on them. */
export class PostgresDatabase extends Database {
	constructor(name: string, args: PostgresDatabaseArgs, opts?: pulumi.CustomResourceOptions) {
		const { cluster, database = name, schemas = {}, extensions = {}, grants = [], settings = {}, owner } = args;
		const { connectionLimit = -1, allowConnections = true, adopt = false, dropOnDelete = false } = args;
		const { access, membership } = cluster;
		const own = { access, database, schemas, extensions, grants, settings, ...(owner === undefined ? {} : { owner }) };
		const more = { connectionLimit, allowConnections, adopt, dropOnDelete };
		const parent = membership;
		super(name, { ...own, ...more }, { parent, dependsOn: [membership], deletedWith: membership, ...opts });
	}
}
