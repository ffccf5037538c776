import * as pulumi from "@pulumi/pulumi";
import { mongoUri, type RoleGrant, type UriOptions } from "../../runtime/mongo/model.ts";
import { type SecretSource, secretValue } from "../secret.ts";
import type { MongoReplicaSet } from "./replicaSet.ts";
import { User } from "./resources.ts";

export interface MongoUserArgs {
	replicaSet: MongoReplicaSet;
	/** Any name of 1 character or more. @default the resource's name */
	user?: string;
	/** Database that holds the user; its connection string's `authSource`. @default "admin" */
	database?: string;
	/** All roles of the user: others are revoked. */
	roles: RoleGrant[];
	/** @default generated, 32 bytes */
	password?: SecretSource;
	/** Time-outs and read preference of the connection string. */
	connection?: UriOptions;
	/** Database that the connection string opens. @default none */
	defaultDatabase?: string;
	/** Take over a user of this name that somebody else made. @default false */
	adopt?: boolean;
}

/** A database user with its password and connection string. */
export class MongoUser extends pulumi.ComponentResource {
	/** Replica-set connection string, password included (secret). */
	readonly uri: pulumi.Output<string>;
	readonly password: pulumi.Output<string>;

	constructor(name: string, args: MongoUserArgs, opts?: pulumi.ComponentResourceOptions) {
		const { replicaSet, ...declared } = args;
		// The set itself stays out of the arguments: as its child, this user would wait for itself.
		super("holdfast:mongo:User", name, declared, opts);
		const { user = name, database = "admin", roles, password: source = { kind: "generated" }, adopt = false } = args;
		const parent = { parent: this };
		this.password = secretValue(`${replicaSet.access.cluster}-user-${name}`, source, parent);
		const generation = source.kind === "given" ? {} : { generation: source.generation ?? 1 };
		const own = { access: replicaSet.access, database, user, password: this.password, roles, adopt, ...generation };
		const { membership } = replicaSet;
		// What a component waits for does not reach its children by itself: on removal, roles would go before their users.
		const after = pulumi.mergeOptions({ dependsOn: [membership] }, { dependsOn: opts?.dependsOn ?? [] });
		new User(name, own, { ...parent, ...after, deletedWith: membership });
		const parts = { hosts: replicaSet.hosts, replicaSet: replicaSet.replicaSet, user, authSource: database };
		const more = { database: args.defaultDatabase, options: args.connection, tls: replicaSet.tls?.isAsked ?? false };
		this.uri = pulumi.secret(this.password.apply((password) => mongoUri({ ...parts, ...more, password })));
		this.registerOutputs({ uri: this.uri });
	}
}
