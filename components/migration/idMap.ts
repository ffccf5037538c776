import * as pulumi from "@pulumi/pulumi";
import type { IdFormat } from "../../runtime/migrate/idmap/idMap.ts";
import { type IdSourceArguments, idMapSchema } from "../../runtime/migrate/model.ts";
import { type SecretSource, secretValue } from "../secret.ts";
import { FrozenIdMap } from "./resources.ts";

export interface IdMapArgs {
	/** Folder, seen from the project's, or `gs://bucket/prefix` that the map lies in. It never moves. */
	location: string;
	/** Base URL of a storage emulator, for a location in a bucket. @default the environment's STORAGE_EMULATOR_HOST */
	endpoint?: string;
	/** How new ids are made: by a keyed hash of the old key, at random, or counted in key order. @default "deterministic" */
	strategy?: "deterministic" | "random" | "sequential";
	/** How new ids are written. @default "integer" for sequential ids, otherwise "uuid" */
	format?: IdFormat;
	/** Where the old keys come from. */
	sources: IdSourceArguments[];
	/** Key of deterministic ids, at least 16 characters. @default generated, 32 bytes */
	secret?: SecretSource;
	/** Raise by one to add a segment with what the sources have beyond the map. @default 1 */
	generation?: number;
	/** Refuse to delete the secret that ids are derived from. @default true */
	protect?: boolean;
}

/**
 * New ids for old keys, built once and then frozen: migrations take it by its hash. Makes a `FrozenIdMap` and, for
 * deterministic ids, a secret.
 */
export class IdMap extends pulumi.ComponentResource {
	/** Where migrations find it. */
	readonly place: { location: string; endpoint?: string };
	/** SHA-256 that stands for the whole map. */
	readonly hash: pulumi.Output<string>;
	/** Pairs in all segments. */
	readonly count: pulumi.Output<number>;
	/** Waited for by migrations. */
	readonly frozen: FrozenIdMap;

	constructor(name: string, args: IdMapArgs, opts?: pulumi.ComponentResourceOptions) {
		const { secret = { kind: "generated" }, ...plain } = args;
		super("holdfast:migration:IdMap", name, plain, opts);
		const { strategy = "deterministic", protect = true, ...rest } = plain;
		const { format = strategy === "sequential" ? "integer" : "uuid", ...own } = rest;
		// Defaults and refusals do not depend on the secret, which nobody knows yet.
		const declared = idMapSchema.parse({ name, ...own, format, ids: idsBy(strategy, () => "any of 16 and more") });
		const parent = { parent: this };
		const ids = idsBy(strategy, () => secretValue(`${name}-id-map`, secret, { ...parent, protect }));
		this.frozen = new FrozenIdMap(name, { ...declared, ids }, parent);

		const { location, endpoint } = declared;
		this.place = { location, ...(endpoint === undefined ? {} : { endpoint }) };
		this.hash = this.frozen.hash;
		this.count = this.frozen.count;
		this.registerOutputs({ hash: this.hash, count: this.count });
	}
}

function idsBy<T>(kind: NonNullable<IdMapArgs["strategy"]>, secret: () => T) {
	switch (kind) {
		case "deterministic":
			return { kind, secret: secret() };
		case "random":
			return { kind };
		case "sequential":
			return { kind };
	}
}
