import type * as pulumi from "@pulumi/pulumi";
import type { RoleInputs } from "../../runtime/mongo/model.ts";
import type { MongoReplicaSet } from "./replicaSet.ts";
import { Role } from "./resources.ts";

export interface MongoRoleArgs {
	replicaSet: MongoReplicaSet;
	/** @default the resource's name */
	role?: string;
	/** Database that holds the role. @default "admin" */
	database?: string;
	/** All privileges of the role. @default [] */
	privileges?: RoleInputs["privileges"];
	/** All roles that it inherits. @default [] */
	roles?: RoleInputs["roles"];
	/** Take over a role of this name that somebody else made. @default false */
	adopt?: boolean;
}

/** A custom role; users that are granted it depend on it. */
export class MongoRole extends Role {
	constructor(name: string, args: MongoRoleArgs, opts?: pulumi.CustomResourceOptions) {
		const { replicaSet, role = name, database = "admin", privileges = [], roles = [], adopt = false } = args;
		const { membership } = replicaSet;
		const own = { access: replicaSet.access, database, role, privileges, roles, adopt };
		super(name, own, { parent: replicaSet, dependsOn: [membership], deletedWith: membership, ...opts });
	}
}
