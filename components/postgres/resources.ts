import type * as pulumi from "@pulumi/pulumi";
import type {
	PostgresClusterInputs,
	PostgresClusterOutputs,
	PostgresRetireInputs,
	PostgresRetireOutputs,
} from "../../runtime/postgres/model.ts";
import { Managed, provider, type Wrapped } from "../dynamic.ts";

const shims = { retire: provider("postgres/Retire"), cluster: provider("postgres/Cluster") };

/** Lets members that go away hand over and leave etcd, before the platform stops them. */
export class PostgresRetire extends Managed<PostgresRetireOutputs> {
	constructor(name: string, args: Wrapped<PostgresRetireInputs>, opts?: pulumi.CustomResourceOptions) {
		super(shims.retire, "postgres/Retire", { retired: "plain" }, name, args, opts);
	}
}

/** The cluster: etcd, identity, passwords, configuration, rolling restarts. */
export class PostgresCluster extends Managed<PostgresClusterOutputs> {
	declare readonly systemIdentifier: pulumi.Output<string>;
	declare readonly serverVersion: pulumi.Output<string>;

	constructor(name: string, args: Wrapped<PostgresClusterInputs>, opts?: pulumi.CustomResourceOptions) {
		const outputs = { systemIdentifier: "plain", serverVersion: "plain" } as const;
		super(shims.cluster, "postgres/Cluster", outputs, name, args, opts);
	}
}
