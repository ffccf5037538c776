import * as pulumi from "@pulumi/pulumi";
import {
	type CertificateArguments,
	certificateArgumentsSchema,
	type IdentityInputs,
	type IdentityOutputs,
	type Service,
} from "../../runtime/tls/model.ts";
import { Managed, provider, type Wrapped } from "../dynamic.ts";
import { type SecretSource, secretValue } from "../secret.ts";

const shim = provider("tls/Identity");

/** Certificates and keys of one member, derived from a passphrase. */
export class Identity extends Managed<IdentityOutputs> {
	declare readonly files: pulumi.Output<Record<string, string>>;
	declare readonly ca: pulumi.Output<string>;
	declare readonly notAfter: pulumi.Output<string>;

	constructor(name: string, args: Wrapped<IdentityInputs>, opts?: pulumi.CustomResourceOptions) {
		super(shim, "tls/Identity", { files: "secret", ca: "plain", notAfter: "plain" }, name, args, opts);
	}
}

/** The passphrase that was in use before, while it is being replaced. */
export interface FormerPassphrase {
	passphrase: pulumi.Input<string>;
	/** The last generation that is derived from it. */
	generation: number;
}

export interface TlsIdentitiesArgs extends CertificateArguments {
	/**
	 * The same passphrase and cluster name give the same certificates on every host; at least 16 characters. Whoever has it
	 * has the CA. @default generated, 32 bytes, and so known to this stack only
	 */
	passphrase?: SecretSource;
	/** While the passphrase itself is replaced. @default none */
	former?: FormerPassphrase;
}

/** A member as its certificates name it. */
export interface TlsMember {
	/** `<cluster>-<slot>` */
	name: string;
	/** IP addresses and host names under which it is called. */
	hosts: readonly string[];
	services: readonly Service[];
	/** Common names of its `client` certificates. @default [] */
	users?: string[];
}

/**
 * The certificates of a cluster: one `tls/Identity` a member, so that a member that joins changes nothing of the others,
 * and the passphrase as a `secret/Secret` named `<cluster>-tls`.
 */
export class TlsIdentities {
	/** Every trusted CA, PEM: what clients verify servers with. */
	readonly ca: pulumi.Output<string>;
	readonly #members: ReadonlyMap<string, Identity>;

	constructor(
		cluster: string,
		args: TlsIdentitiesArgs,
		members: readonly TlsMember[],
		opts: pulumi.CustomResourceOptions = {},
	) {
		const { passphrase: source = { kind: "generated" }, former, ...declared } = args;
		const {
			generation,
			trusted = [generation],
			validityDays: days,
			epoch,
		} = certificateArgumentsSchema.parse(declared);
		const passphrase = secretValue(`${cluster}-tls`, source, opts);
		const earlier = former && { former: { ...former, passphrase: pulumi.secret(former.passphrase) } };
		const common = { cluster, passphrase, ...earlier, generation, trusted, epoch, days };
		const identities = members.map(({ name, hosts, services, users = [] }) => {
			const own = { ...common, member: name, hosts: [...hosts], services: [...services], users };
			return [name, new Identity(`${name}-tls`, own, { parent: opts.parent })] as const;
		});
		this.#members = new Map(identities);
		this.ca = identities[0]![1].ca;
	}

	/** File name -> PEM text of one member's certificates and keys (secret): `ca.pem`, `<service>.crt`, `<service>.key`. */
	files(member: string): pulumi.Output<Record<string, string>> {
		return this.#members.get(member)!.files;
	}
}
