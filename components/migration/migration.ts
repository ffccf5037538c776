import * as pulumi from "@pulumi/pulumi";
import {
	type DatastoreMove,
	type MongoTarget,
	managedMigrationSchema,
	type ObjectsMove,
} from "../../runtime/migrate/model.ts";
import { MongoReplicaSet } from "../mongo/replicaSet.ts";
import type { IdMap } from "./idMap.ts";
import { MigrationRun } from "./resources.ts";

export interface MigrationArgs {
	/** The map whose new ids are given. */
	idMap: IdMap;
	/** Replica set that holds the ledger, and, for entities, the data. */
	mongo: MongoReplicaSet | MongoTarget;
	/** What moves from where to where, and by which rules: `kind: "datastore"` or `kind: "objects"`. */
	move: DatastoreMove | ObjectsMove;
	/** Database of the ledger. @default "holdfast_migrations" */
	ledger?: string;
	/** Dead letters and conflicts at which a run ends: a number, or a share of all as `"1%"`. @default 1000 */
	maxErrors?: number | string;
	/** Partitions at work at once. @default 4 */
	concurrency?: number;
	/** Minutes after which `up` stops in order, with progress kept; the next one goes on. @default 60 */
	timeoutMinutes?: number;
}

/** A migration that `up` runs once, and goes on with where it stopped. Nothing undoes it. Makes a `MigrationRun`. */
export class Migration extends pulumi.ComponentResource {
	/** `loading` or `complete`. */
	readonly state: pulumi.Output<string>;
	/** Items that it wrote. */
	readonly written: pulumi.Output<number>;

	constructor(name: string, args: MigrationArgs, opts?: pulumi.ComponentResourceOptions) {
		const { idMap, mongo, move, ...settings } = args;
		super("holdfast:migration:Migration", name, { move, ...settings }, opts);
		const set = mongo instanceof MongoReplicaSet ? mongo : undefined;
		const target = set ? { access: set.access } : (mongo as MongoTarget);
		const whole = { name, ...settings, ...move, idMap: idMap.place, mongo: target, run: "complete" };
		const declared = managedMigrationSchema.parse(whole);
		// What a component waits for does not reach its children by itself.
		const after = [idMap.frozen, ...(set ? [set.membership] : [])];
		const own = pulumi.mergeOptions({ parent: this, dependsOn: after }, { dependsOn: opts?.dependsOn ?? [] });
		const run = new MigrationRun(name, { ...declared, idMap: { ...idMap.place, hash: idMap.hash } }, own);

		this.state = run.state;
		this.written = run.written;
		this.registerOutputs({ state: this.state, written: this.written });
	}
}
