import type * as pulumi from "@pulumi/pulumi";
import type {
	ReplicaSetInputs,
	ReplicaSetOutputs,
	RetireInputs,
	RetireOutputs,
	RoleInputs,
	RoleOutputs,
	UserInputs,
	UserOutputs,
} from "../../runtime/mongo/model.ts";
import { Managed, provider, type Wrapped } from "../dynamic.ts";

const shims = {
	retire: provider("mongo/Retire"),
	replicaSet: provider("mongo/ReplicaSet"),
	user: provider("mongo/User"),
	role: provider("mongo/Role"),
};

/** Takes members that go away out of their set, before the platform stops them. */
export class Retire extends Managed<RetireOutputs> {
	constructor(name: string, args: Wrapped<RetireInputs>, opts?: pulumi.CustomResourceOptions) {
		super(shims.retire, "mongo/Retire", { retired: "plain" }, name, args, opts);
	}
}

/** The set: identity, admin, membership, rollouts. */
export class ReplicaSet extends Managed<ReplicaSetOutputs> {
	declare readonly replicaSetId: pulumi.Output<string>;
	declare readonly version: pulumi.Output<string>;
	declare readonly compatibilityVersion: pulumi.Output<string>;

	constructor(name: string, args: Wrapped<ReplicaSetInputs>, opts?: pulumi.CustomResourceOptions) {
		const outputs = { replicaSetId: "plain", version: "plain", compatibilityVersion: "plain" } as const;
		super(shims.replicaSet, "mongo/ReplicaSet", outputs, name, args, opts);
	}
}

/** A user in the database; `MongoUser` adds the password and the connection string. */
export class User extends Managed<UserOutputs> {
	constructor(name: string, args: Wrapped<UserInputs>, opts?: pulumi.CustomResourceOptions) {
		super(shims.user, "mongo/User", { owner: "plain" }, name, args, opts);
	}
}

/** A role in the database. */
export class Role extends Managed<RoleOutputs> {
	constructor(name: string, args: Wrapped<RoleInputs>, opts?: pulumi.CustomResourceOptions) {
		super(shims.role, "mongo/Role", { owner: "plain" }, name, args, opts);
	}
}
