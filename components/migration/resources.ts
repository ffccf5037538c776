import type * as pulumi from "@pulumi/pulumi";
import type { IdMapInputs, IdMapOutputs, ManagedMigration, MigrationOutputs } from "../../runtime/migrate/model.ts";
import { Managed, provider, type Wrapped } from "../dynamic.ts";

const shims = { idMap: provider("migrate/IdMap"), migration: provider("migrate/Migration") };

/** The map itself: built once, found ever after. */
export class FrozenIdMap extends Managed<IdMapOutputs> {
	declare readonly hash: pulumi.Output<string>;
	declare readonly count: pulumi.Output<number>;
	declare readonly segments: pulumi.Output<number>;

	constructor(name: string, args: Wrapped<IdMapInputs>, opts?: pulumi.CustomResourceOptions) {
		const outputs = { hash: "plain", count: "plain", segments: "plain" } as const;
		super(shims.idMap, "migrate/IdMap", outputs, name, args, opts);
	}
}

/** A migration in the ledger: run, or resumed, until it is complete. */
export class MigrationRun extends Managed<MigrationOutputs> {
	declare readonly state: pulumi.Output<string>;
	declare readonly mapHash: pulumi.Output<string>;
	declare readonly readTime: pulumi.Output<string | undefined>;
	declare readonly read: pulumi.Output<number>;
	declare readonly written: pulumi.Output<number>;
	declare readonly completedAt: pulumi.Output<string | undefined>;

	constructor(name: string, args: Wrapped<ManagedMigration>, opts?: pulumi.CustomResourceOptions) {
		const known = { state: "plain", mapHash: "plain", readTime: "plain", completedAt: "plain" } as const;
		const counted = { read: "plain", written: "plain" } as const;
		super(shims.migration, "migrate/Migration", { ...known, ...counted }, name, args, opts);
	}
}
