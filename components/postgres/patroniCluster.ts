import * as pulumi from "@pulumi/pulumi";
import { type Address, hostport } from "../../runtime/platform/model.ts";
import {
	dynamicConfig,
	ETCD_SLOTS,
	PATRONI_USER,
	type PatroniArguments,
	type PatroniSettings,
	patroniArgumentsSchema,
	patroniSettings,
	patroniTopology,
	standbysNeeded,
	synchronousSettings,
} from "../../runtime/postgres/model.ts";
import { type Platform, triple } from "../platform/platform.ts";
import { hashOf, told } from "../platform/told.ts";
import { type SecretSource, secretValue } from "../secret.ts";
import { type FormerPassphrase, TlsIdentities } from "../tls/identities.ts";
import { type PostgresConnection, postgresConnection } from "./connection.ts";
import { memberSpecs, type PatroniPasswords } from "./members.ts";
import { PostgresCluster, PostgresRetire } from "./resources.ts";

export interface PatroniClusterArgs extends PatroniArguments {
	/** Stack that the cluster belongs to. */
	stack: string;
	/** Where the members run. */
	platform: Platform;
	/** Password of the superuser (POSTGRES_SUPERUSER_PASSWORD). @default generated, 32 bytes */
	superuserPassword?: SecretSource;
	/** Password with which standbys replicate (POSTGRES_REPLICATION_PASSWORD). @default generated, 32 bytes */
	replicationPassword?: SecretSource;
	/** Password with which a former leader is rewound. @default generated, 32 bytes */
	rewindPassword?: SecretSource;
	/** What certificates are derived from (SSL_PASSPHRASE), with `tls`. @default generated, 32 bytes */
	tlsPassphrase?: SecretSource;
	/** The passphrase of earlier generations, while it is replaced. @default none */
	tlsFormer?: FormerPassphrase;
	/** Take over exactly the cluster with this database system identifier, whose members lie here. */
	adopt?: { systemIdentifier: string };
	/** Refuse to delete the cluster and the secrets it was born with. @default true */
	protect?: boolean;
}

/**
 * A PostgreSQL cluster under Patroni, with etcd beside the first members: elects a new leader when one fails, grows,
 * shrinks and restarts one member at a time. Makes a `PostgresRetire`, the platform's members, a `PostgresCluster`,
 * secrets, and with `tls` certificates.
 */
export class PatroniCluster extends pulumi.ComponentResource {
	/** How roles and databases refer to it. */
	readonly access: { stack: string; cluster: string };
	/** Patroni's scope. */
	readonly scope: string;
	/** PostgreSQL of all members. */
	readonly hosts: Address[];
	/** Base URLs of the members' Patroni REST APIs. */
	readonly rest: string[];
	/** The superuser's name. */
	readonly superuser: string;
	/** How to connect as superuser. */
	readonly connection: PostgresConnection;
	/** Database that connection strings name where nothing else is said. */
	readonly database: string;
	/** PostgreSQL's identity of the cluster. */
	readonly systemIdentifier: pulumi.Output<string>;
	/** The resource that roles and databases depend on and are deleted with. */
	readonly membership: PostgresCluster;
	/** With `tls`: the CAs that clients verify servers with, as PEM. */
	readonly ca?: pulumi.Output<string>;

	constructor(name: string, args: PatroniClusterArgs, opts?: pulumi.ComponentResourceOptions) {
		const { platform, ...plain } = args;
		super("holdfast:postgres:PatroniCluster", name, plain, opts);
		const {
			stack,
			superuserPassword,
			replicationPassword,
			rewindPassword,
			tlsPassphrase,
			tlsFormer,
			adopt,
			protect = true,
			...declared
		} = plain;
		const settings = patroniSettings(patroniArgumentsSchema.parse(declared));
		const kept = { parent: this, protect };
		const { members, etcdFor, notes } = patroniTopology(name, settings, hostsOf(platform, name, settings));
		for (const note of notes) void pulumi.log.info(note, this);
		const secret = (role: string, source: SecretSource = { kind: "generated" }) =>
			secretValue(`${name}-${role}`, source, kept);
		const passwords: PatroniPasswords = {
			superuser: secret("superuser", superuserPassword),
			replication: secret("replication", replicationPassword),
			rewind: secret("rewind", rewindPassword),
			rest: secret("restapi"),
			etcd: secret("etcd"),
		};
		const identities =
			settings.tls && tlsIdentities(name, settings, members, { tlsPassphrase, tlsFormer }, { parent: this });
		const specs = memberSpecs({ settings, members, etcdFor, passwords, identities, adopt: adopt !== undefined });

		this.access = { stack, cluster: name };
		this.scope = settings.name;
		this.hosts = members.map(({ addresses }) => addresses.postgres);
		const scheme = settings.tls ? "https" : "http";
		this.rest = members.map(({ addresses }) => `${scheme}://${hostport(addresses.patroni)}`);
		this.superuser = settings.superuser;
		this.database = settings.database;
		this.connection = postgresConnection({
			...{ hosts: this.hosts, user: settings.superuser, password: passwords.superuser },
			...{ database: settings.database, tls: settings.tls !== undefined },
		});
		if (identities) this.ca = identities.ca;
		const placed = members.map(({ name: member, voter, slot, addresses }) => ({
			...{ name: member, postgres: addresses.postgres, patroni: addresses.patroni, votes: voter },
			...(slot < ETCD_SLOTS ? { etcd: { client: addresses.etcdClient, peer: addresses.etcdPeer } } : {}),
		}));
		const { durability, synchronousNodeCount, version, build, superuser, replicationUser, rewindUser } = settings;
		const common = {
			...{ access: this.access, host: platform.host, members: placed, version },
			standbys: standbysNeeded(durability, settings.members, synchronousNodeCount),
			...(adopt ? { adopt } : {}),
		};
		const { membership } = triple(platform, name, specs, this, {
			retire: (o) =>
				new PostgresRetire(
					`${name}-retire`,
					{
						...{ ...common, ...(build === undefined ? {} : { build }) },
						users: { superuser, replication: replicationUser, rewind: rewindUser },
						tls: identities !== undefined,
						synchronous: synchronousSettings(durability, synchronousNodeCount) as never,
					},
					o,
				),
			membership: (o) => {
				const inputs = {
					...{ ...common, scope: settings.name },
					dynamic: dynamicConfig(settings) as never,
					configuration: hashOf(told(specs)),
					superuser: { user: settings.superuser, password: passwords.superuser },
					replication: { user: settings.replicationUser, password: passwords.replication },
					rewind: { user: settings.rewindUser, password: passwords.rewind },
					restapi: { user: PATRONI_USER, password: passwords.rest },
					etcd: { root: secret("etcd-root"), patroni: passwords.etcd },
					...(identities ? { ca: identities.ca } : {}),
				};
				return new PostgresCluster(name, inputs, { ...o, protect });
			},
		});
		this.membership = membership;
		this.systemIdentifier = membership.systemIdentifier;
		this.registerOutputs({ hosts: this.hosts, rest: this.rest, systemIdentifier: this.systemIdentifier });
	}
}

/** Members' addresses by slot. */
const hostsOf = (platform: Platform, cluster: string, { members }: PatroniSettings): string[] =>
	platform.addresses(cluster, [...Array(members).keys()]).map(({ host }) => host);

type Members = ReturnType<typeof patroniTopology>["members"];

/** Every server of a member, and what its Patroni shows where it is a client. */
const services = ["postgres", "patroni", "etcd", "etcd-client", "peer", "client"] as const;

function tlsIdentities(
	name: string,
	settings: PatroniSettings,
	members: Members,
	{ tlsPassphrase: passphrase, tlsFormer: former }: Pick<PatroniClusterArgs, "tlsPassphrase" | "tlsFormer">,
	opts: pulumi.CustomResourceOptions,
): TlsIdentities {
	const args = { ...settings.tls, ...(passphrase ? { passphrase } : {}), ...(former ? { former } : {}) };
	const named = members.map(({ name: member, addresses }) => {
		const { host } = addresses.postgres;
		// Whatever a loopback address calls is called from 127.0.0.1, and etcd asks whether the certificate is of its caller.
		const hosts = host.startsWith("127.") ? [...new Set([host, "127.0.0.1"])] : [host];
		return { name: member, hosts, services, users: [PATRONI_USER] };
	});
	return new TlsIdentities(name, args, named, opts);
}
