import * as pulumi from "@pulumi/pulumi";
import {
	CONFIG_FILE,
	KEY_FILE,
	keyfileText,
	mongodConf,
	type ReplicaSetArguments,
	type ReplicaSetSettings,
	replicaSetArgumentsSchema,
	topology,
} from "../../runtime/mongo/model.ts";
import type { DesiredMember } from "../../runtime/mongo/state.ts";
import { type Address, FOLDER, hostport } from "../../runtime/platform/model.ts";
import { type MemberSpec, type Platform, triple } from "../platform/platform.ts";
import { type SecretSource, secretValue } from "../secret.ts";
import { ReplicaSet, Retire } from "./resources.ts";

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
	/** Take over a running set instead of making one. */
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
	/** The resource that users depend on and are deleted with. */
	readonly membership: ReplicaSet;

	constructor(name: string, args: MongoReplicaSetArgs, opts?: pulumi.ComponentResourceOptions) {
		const { platform, ...plain } = args;
		super("holdfast:mongo:ReplicaSet", name, plain, opts);
		const { stack, adminPassword, keyfile: keySource, adopt, protect = true, ...declared } = plain;
		const settings = replicaSetArgumentsSchema.parse(declared);
		const kept = { parent: this, protect };
		const slots = [...Array(settings.members).keys()];
		const addresses = platform.addresses(name, slots);
		const { members, notes } = topology(addresses.map(hostport), settings);
		for (const note of notes) void pulumi.log.info(note, this);
		const admin = adminOf(name, settings, adminPassword, adopt, kept);
		const keyfile = secretValue(`${name}-keyfile`, keySource ?? { kind: "generated", bytes: 756, encoding: "base64" }, kept);
		const specs = memberSpecs(name, settings, members, addresses, keyfile, adopt !== undefined);

		this.access = { stack, cluster: name };
		this.replicaSet = settings.name;
		this.hosts = members.filter(({ hidden, arbiterOnly }) => !hidden && !arbiterOnly).map(({ host }) => host);
		const common = { access: this.access, ...(adopt === undefined ? {} : { adopt: pulumi.secret(adopt) as never }) };
		const { mongod, rest } = inputsOf(settings, adopt !== undefined);
		const { membership } = triple(platform, name, specs, this, {
			retire: (o) => new Retire(`${name}-retire`, { ...common, keep: members.map(({ host }) => host), ...buildOf(settings) }, o),
			membership: (o) => {
				const placed = members.map((member, slot) => ({ ...member, member: platform.host.kind === "existing" ? "" : specs[slot]!.name }));
				const inputs = { ...common, ...rest, host: platform.host, name: settings.name, members: placed, mongod, admin, keyfile };
				return new ReplicaSet(name, inputs, { ...o, protect });
			},
		});
		this.membership = membership;
		this.replicaSetId = membership.replicaSetId;
		this.registerOutputs({ hosts: this.hosts, replicaSet: this.replicaSet, replicaSetId: this.replicaSetId });
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
	if (adopt && !source) return pulumi.secret(pulumi.output(adopt.admin));
	const password = secretValue(`${name}-admin`, source ?? { kind: "generated" }, opts);
	return pulumi.output({ user: adopt?.admin.user ?? adminUser, password });
}

const buildOf = ({ build }: ReplicaSetSettings) => (build === undefined ? {} : { build });

/** What the membership is told of the settings; absent means "leave it alone". */
function inputsOf(settings: ReplicaSetSettings, adopted: boolean) {
	const { cacheSizeGB, oplogSizeMB, shutdownTimeoutMillis, electionTimeoutMillis, featureCompatibilityVersion } = settings;
	const concern = settings.defaultWriteConcern ?? (adopted ? undefined : { w: "majority", wtimeout: 20_000 });
	return {
		mongod: { cacheSizeGB, oplogSizeMB, ...(shutdownTimeoutMillis === undefined ? {} : { shutdownTimeoutMillis }), ...buildOf(settings) },
		rest: {
			settings: { electionTimeoutMillis },
			...(concern === undefined ? {} : { defaultWriteConcern: concern }),
			...(featureCompatibilityVersion === undefined ? {} : { featureCompatibilityVersion }),
		},
	};
}

function memberSpecs(
	cluster: string,
	settings: ReplicaSetSettings,
	members: DesiredMember[],
	addresses: Address[],
	keyfile: pulumi.Output<string>,
	adopt: boolean,
): MemberSpec[] {
	return addresses.map((address, slot) => {
		const conf = { ...settings, replicaSet: settings.name, address, arbiter: members[slot]!.arbiterOnly };
		const args = ["--config", `${FOLDER}/${CONFIG_FILE}`];
		return {
			slot,
			name: `${cluster}-${slot}`,
			address,
			processes: [{ name: "mongod", program: "mongod" as const, args, port: address.port, ...buildOf(settings) }],
			files: { [CONFIG_FILE]: mongodConf(conf) },
			birthFiles: { [KEY_FILE]: keyfile.apply((key) => keyfileText([key])) },
			adopt,
		};
	});
}
