import type * as pulumi from "@pulumi/pulumi";
import type {
	RedisClusterInputs,
	RedisClusterOutputs,
	RedisRetireInputs,
	RedisRetireOutputs,
} from "../../runtime/redis/model.ts";
import { Managed, provider, type Wrapped } from "../dynamic.ts";

const shims = { retire: provider("redis/Retire"), cluster: provider("redis/Cluster") };

/** Lets nodes that go away hand over what they have, before the platform stops them. */
export class RedisRetire extends Managed<RedisRetireOutputs> {
	constructor(name: string, args: Wrapped<RedisRetireInputs>, opts?: pulumi.CustomResourceOptions) {
		super(shims.retire, "redis/Retire", { retired: "plain" }, name, args, opts);
	}
}

/** Nodes and managers as one: who is declared, passwords and keys, rolling restarts. */
export class RedisCluster extends Managed<RedisClusterOutputs> {
	declare readonly serverVersion: pulumi.Output<string>;

	constructor(name: string, args: Wrapped<RedisClusterInputs>, opts?: pulumi.CustomResourceOptions) {
		super(shims.cluster, "redis/Cluster", { serverVersion: "plain" }, name, args, opts);
	}
}
