import * as pulumi from "@pulumi/pulumi";
import { type ReplicaSetSettings, TLS_FILES, type TlsMode } from "../../runtime/mongo/model.ts";
import type { Address } from "../../runtime/platform/model.ts";
import { TlsIdentities, type TlsIdentitiesArgs } from "../tls/identities.ts";

/** How a replica set speaks TLS, and the certificates of its members. */
export class MongoTls {
	/** Every trusted CA, PEM. */
	readonly ca: pulumi.Output<string>;
	/** Whether connection strings ask for TLS: clients may do without as long as the mode is `allow`. */
	readonly isAsked: boolean;
	/** What the membership is told. */
	readonly inputs: { mode: TlsMode; generation: number; trusted: number[]; ca: pulumi.Output<string> };
	readonly #identities: TlsIdentities;

	constructor(
		cluster: string,
		{ mode, ...declared }: NonNullable<ReplicaSetSettings["tls"]>,
		passphrases: Pick<TlsIdentitiesArgs, "passphrase" | "former">,
		addresses: readonly Address[],
		opts: pulumi.CustomResourceOptions,
	) {
		const { generation, trusted = [generation] } = declared;
		const services = ["mongod"] as const;
		const members = addresses.map(({ host }, slot) => ({ name: `${cluster}-${slot}`, hosts: [host], services }));
		this.#identities = new TlsIdentities(cluster, { ...declared, ...passphrases }, members, opts);
		this.ca = this.#identities.ca;
		this.isAsked = mode !== "allow";
		this.inputs = { mode, generation, trusted, ca: this.ca };
	}

	/** Configuration files of one member: path in its folder -> PEM text. */
	files(member: string): Record<string, pulumi.Output<string>> {
		const files = this.#identities.files(member);
		const own = files.apply((texts) => texts["mongod.pem"]!);
		return { [TLS_FILES["ca.pem"]]: this.ca, [TLS_FILES["mongod.pem"]]: pulumi.secret(own) };
	}
}
