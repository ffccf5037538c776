import * as pulumi from "@pulumi/pulumi";
import type { SecretEncoding, SecretInputs, SecretOutputs } from "../runtime/secret/model.ts";
import { Managed, provider, type Wrapped } from "./dynamic.ts";

interface Shape {
	/** Bytes before encoding. @default 32 */
	bytes?: number;
	/** @default "base64url" */
	encoding?: SecretEncoding;
	/** Raise by one to rotate. @default 1 */
	generation?: number;
}

/**
 * Where a secret comes from. `generated`: random, kept encrypted in Pulumi's state only; one that was `given` before stays
 * until its generation is above 1. `given`: the operator's. `derived`: by scrypt from a passphrase of at least 16 characters, the same on every host.
 */
export type SecretSource =
	| ({ kind: "generated" } & Shape)
	| { kind: "given"; value: pulumi.Input<string> }
	| ({ kind: "derived"; passphrase: pulumi.Input<string> } & Shape);

const shim = provider("secret/Secret");

/** A secret: generated or derived once a generation, or given. */
export class Secret extends Managed<SecretOutputs> {
	declare readonly value: pulumi.Output<string>;

	constructor(name: string, args: Wrapped<SecretInputs>, opts?: pulumi.CustomResourceOptions) {
		super(shim, "secret/Secret", { value: "secret" }, name, args, opts);
	}
}

/** The value of a secret, always marked secret. One resource whatever the source, so that the source can change. */
export function secretValue(
	name: string,
	source: SecretSource,
	opts?: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
	if (source.kind === "given")
		return new Secret(name, { name, source: { kind: "given", value: pulumi.secret(source.value) } }, opts).value;
	const { bytes = 32, encoding = "base64url", generation = 1 } = source;
	const shape = { bytes, encoding, generation };
	const full =
		source.kind === "generated"
			? { kind: source.kind, ...shape }
			: { kind: source.kind, passphrase: pulumi.secret(source.passphrase), ...shape };
	return new Secret(name, { name, source: full }, opts).value;
}
