import * as pulumi from "@pulumi/pulumi";
import {
	type ReplicaSetArguments,
	type ReplicaSetSettings,
	replicaSetArgumentsSchema,
	topology,
} from "../../runtime/mongo/model.ts";
import type { DesiredMember } from "../../runtime/mongo/state.ts";
import { hostport } from "../../runtime/platform/model.ts";
import { type Platform, triple } from "../platform/platform.ts";
import { type SecretSource, secretValue } from "../secret.ts";
import type { FormerPassphrase } from "../tls/identities.ts";
import { buildOf, memberSpecs } from "./members.ts";
import { ReplicaSet, Retire } from "./resources.ts";
import { MongoTls } from "./tls.ts";

/** Exactly which running set to take over, and who may. */
export interface MongoAdoption {
	/** `rs.conf().settings.replicaSetId` */
	replicaSetId: pulumi.Input<string>;
	admin: { user: pulumi.Input<string>; password: pulumi.Input<string> };
	/** Key of the running members' key file. */
	keyfile?: pulumi.Input<string>;
}

export interface MongoReplicaSetArgs extends ReplicaSetArguments {
	/** Stack that the set belongs to. */
	stack: string;
	/** Where the members run. */
	platform: Platform;
	/** Password of the administrator. @default generated, 32 bytes */
	adminPassword?: SecretSource;
	/** Key that the members sign in to each other with. @default generated, 756 bytes */
	keyfile?: SecretSource;
	/** What the certificates of `tls` are derived from. @default generated, 32 bytes */
	tlsPassphrase?: SecretSource;
	/** The passphrase of earlier generations, while it is replaced. @default none */
	tlsFormer?: FormerPassphrase;
	/**
	 * Take over a running set instead of making one. Nothing changes that is not given: members without an entry in
	 * `overrides` keep votes, priority and visibility, and election timeout, oplog, default write concern stay.
	 */
	adopt?: MongoAdoption;
	/** Refuse to delete the set and the secrets it was born with. @default true */
	protect?: boolean;
}

/**
 * A MongoDB replica set: members on a platform, a key file, an administrator, and a membership that grows, shrinks
 * and restarts one member at a time. Makes a `Retire`, the platform's members, a `ReplicaSet` and two secrets.
 */
export class MongoReplicaSet extends pulumi.ComponentResource {
	/** How users and other objects of the set refer to it. */
	readonly access: { stack: string; cluster: string };
	/** Name of the replica set. */
	readonly replicaSet: string;
	/** `host:port` of the members that clients connect to. */
	readonly hosts: string[];
	/** The set's identity. */
	readonly replicaSetId: pulumi.Output<string>;
	/** Certificates, where the set speaks TLS: `ca` is what clients verify its members with. */
	readonly tls: MongoTls | undefined;
	/** The resource that users depend on and are deleted with. */
	readonly membership: ReplicaSet;

	constructor(name: string, args: MongoReplicaSetArgs, opts?: pulumi.ComponentResourceOptions) {
		const { platform, ...plain } = args;
		super("holdfast:mongo:ReplicaSet", name, plain, opts);
		const {
			stack,
			adminPassword,
			keyfile: keySource,
			tlsPassphrase,
			tlsFormer,
			adopt,
			protect = true,
			...declared
		} = plain;
		const settings = replicaSetArgumentsSchema.parse(declared);
		const kept = { parent: this, protect };
		const slots = [...Array(settings.members).keys()];
		const addresses = platform.addresses(name, slots);
		const { members, notes } = topology(addresses.map(hostport), settings);
		if (!adopt) for (const note of notes) void pulumi.log.info(note, this);
		const admin = adminOf(name, settings, adminPassword, adopt, kept);
		const keyfile = secretValue(
			`${name}-keyfile`,
			keySource ?? { kind: "generated", bytes: 756, encoding: "base64" },
			kept,
		);
		const passphrases = { passphrase: tlsPassphrase, former: tlsFormer };
		this.tls = settings.tls && new MongoTls(name, settings.tls, passphrases, addresses, { parent: this });
		const own = { settings, members, addresses, keyfile, tls: this.tls, adopt: adopt !== undefined };
		const specs = memberSpecs(name, own);

		this.access = { stack, cluster: name };
		this.replicaSet = settings.name;
		this.hosts = members.filter(({ hidden, arbiterOnly }) => !hidden && !arbiterOnly).map(({ host }) => host);
		const taken = adopt === undefined ? {} : { adopt: pulumi.secret(adopt) as never };
		const common = { access: this.access, ...taken, ...(this.tls ? { tls: this.tls.inputs } : {}) };
		const { mongod, rest } = inputsOf(settings, adopt && declared);
		const { membership } = triple(platform, name, specs, this, {
			retire: (o) =>
				new Retire(`${name}-retire`, { ...common, keep: members.map(({ host }) => host), ...buildOf(settings) }, o),
			membership: (o) => {
				const named = (slot: number) => ({ member: platform.host.kind === "existing" ? "" : specs[slot]!.name });
				const placed = members.map((member, slot) => ({
					...(adopt ? said(member, slot, settings) : member),
					...named(slot),
				}));
				const inputs = {
					...common,
					...rest,
					host: platform.host,
					name: settings.name,
					members: placed,
					mongod,
					admin,
					keyfile,
				};
				return new ReplicaSet(name, inputs, { ...o, protect });
			},
		});
		this.membership = membership;
		this.replicaSetId = membership.replicaSetId;
		const { hosts, replicaSet, replicaSetId } = this;
		this.registerOutputs({ hosts, replicaSet, replicaSetId, ca: this.tls?.ca });
	}
}

/** An adopted set keeps its administrator unless another password is asked for. */
function adminOf(
	name: string,
	{ adminUser }: ReplicaSetSettings,
	source: SecretSource | undefined,
	adopt: MongoAdoption | undefined,
	opts: pulumi.CustomResourceOptions,
): pulumi.Output<{ user: string; password: string }> {
	const known: SecretSource = adopt ? { kind: "given", value: adopt.admin.password } : { kind: "generated" };
	const password = secretValue(`${name}-admin`, source ?? known, opts);
	return pulumi.output({ user: adopt?.admin.user ?? adminUser, password });
}

/** Of an adopted set's member, what the program itself says; absent means "leave it alone". */
function said(member: DesiredMember, slot: number, { overrides, arbiter }: ReplicaSetSettings) {
	const { host, arbiterOnly } = member;
	const { votes, hidden, priority } = overrides[slot] ?? {};
	return defined({
		host,
		votes: arbiterOnly ? member.votes : votes,
		hidden,
		priority: priority ?? (arbiterOnly || hidden || votes === 0 ? 0 : undefined),
		arbiterOnly: arbiter === undefined ? undefined : arbiterOnly,
	});
}

/** What the membership is told of the settings; `kept` are the arguments of an adopted set, whose defaults are its own. */
function inputsOf(settings: ReplicaSetSettings, kept?: ReplicaSetArguments) {
	const { cacheSizeGB, shutdownTimeoutMillis, build, featureCompatibilityVersion } = settings;
	const { oplogSizeMB, electionTimeoutMillis } = kept ?? settings;
	const defaultWriteConcern = settings.defaultWriteConcern ?? (kept ? undefined : { w: "majority", wtimeout: 20_000 });
	return {
		mongod: defined({ cacheSizeGB, oplogSizeMB, shutdownTimeoutMillis, build }),
		rest: {
			settings: defined({ electionTimeoutMillis }),
			...defined({ defaultWriteConcern, featureCompatibilityVersion }),
		},
	};
}

/** Without what is undefined. */
const defined = <T extends object>(value: T): T =>
	Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as T;
