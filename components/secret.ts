import * as pulumi from "@pulumi/pulumi";
import type { SecretInputs, SecretOutputs } from "../runtime/secret/model.ts";
import { Managed, provider, type Wrapped } from "./dynamic.ts";

interface Shape {
	/** Bytes before encoding. @default 32 */
	bytes?: number;
	/** @default "base64url" */
	encoding?: SecretInputs["source"]["encoding"];
	/** Raise by one to rotate. @default 1 */
	generation?: number;
}

/**
 * Where a secret comes from. `generated`: random, kept encrypted in Pulumi's state only. `given`: the operator's.
 * `derived`: by scrypt from a passphrase of at least 16 characters, the same on every host.
 */
export type SecretSource =
	| ({ kind: "generated" } & Shape)
	| { kind: "given"; value: pulumi.Input<string> }
	| ({ kind: "derived"; passphrase: pulumi.Input<string> } & Shape);

const shim = provider("secret/Secret");

/** A secret that is generated or derived once a generation. */
export class Secret extends Managed<SecretOutputs> {
	declare readonly value: pulumi.Output<string>;

	constructor(name: string, args: Wrapped<SecretInputs>, opts?: pulumi.CustomResourceOptions) {
		super(shim, "secret/Secret", { value: "secret" }, name, args, opts);
	}
}

/** The value of a secret, whatever its source; always marked secret. */
export function secretValue(name: string, source: SecretSource, opts?: pulumi.CustomResourceOptions): pulumi.Output<string> {
	if (source.kind === "given") return pulumi.secret(source.value);
	const { bytes = 32, encoding = "base64url", generation = 1 } = source;
	const shape = { bytes, encoding, generation };
	const full =
		source.kind === "generated"
			? { kind: source.kind, ...shape }
			: { kind: source.kind, passphrase: pulumi.secret(source.passphrase), ...shape };
	return new Secret(name, { name, source: full }, opts).value;
}
