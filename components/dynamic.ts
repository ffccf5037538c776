import * as pulumi from "@pulumi/pulumi";
import type { KindName, Verb } from "#runtime";

// biome-ignore lint/suspicious/noExplicitAny: Pulumi's methods take and return what each verb needs
type Forward = (kind: KindName, verb: Verb) => (...args: any[]) => Promise<any>;
// biome-ignore format: this one line is what state keeps, byte for byte; no annotation, comment or line break inside it
const forward: Forward = (kind, verb) => async (...args) => (await import("#runtime")).serve(kind, verb, args);

/** The provider of one kind. Call once a kind, at module level: Pulumi caches the text by object identity. */
export function provider(kind: KindName): pulumi.dynamic.ResourceProvider {
	return {
		check: forward(kind, "check"),
		diff: forward(kind, "diff"),
		create: forward(kind, "create"),
		read: forward(kind, "read"),
		update: forward(kind, "update"),
		delete: forward(kind, "delete"),
	};
}

/** Every output once, and whether state must encrypt it. */
export type Outputs<O> = { readonly [K in keyof O]-?: "plain" | "secret" };

type Deep<T> = T extends string | number | boolean | undefined
	? pulumi.Input<T>
	: pulumi.Input<T extends readonly (infer U)[] ? Deep<U>[] : { [K in keyof T]: Deep<T[K]> }>;

/** Inputs of a kind as a program gives them: every value, at any depth, may be an output. */
export type Wrapped<T> = { [K in keyof T]: Deep<T[K]> };

/**
 * Base of all managed resources. The type token is `pulumi-nodejs:dynamic/<domain>:<Noun>` of the kind
 * `<domain>/<Noun>`. An object is deleted before it is replaced: with deterministic ids the other order would
 * delete what was just adopted.
 */
export abstract class Managed<O extends object> extends pulumi.dynamic.Resource {
	constructor(
		shim: pulumi.dynamic.ResourceProvider,
		kind: KindName,
		outputs: Outputs<O>,
		name: string,
		args: object,
		opts?: pulumi.CustomResourceOptions,
	) {
		const keys = Object.keys(outputs) as (keyof O & string)[];
		const [module, type] = kind.split("/");
		const secrets = keys.filter((key) => outputs[key] === "secret");
		const declared = Object.fromEntries(keys.map((key) => [key, undefined]));
		const own = { deleteBeforeReplace: true, additionalSecretOutputs: secrets };
		super(shim, name, { ...declared, ...args }, pulumi.mergeOptions(own, opts), module, type);
	}
}
