import * as pulumi from "@pulumi/pulumi";
import { MongoReplicaSet } from "../components/mongo/replicaSet.ts";
import { MongoRole } from "../components/mongo/role.ts";
import { MongoUser } from "../components/mongo/user.ts";
import { ExistingPlatform } from "../components/platform/existing.ts";
import { LocalPlatform } from "../components/platform/local.ts";
import type { SecretSource } from "../components/secret.ts";
import type { LocalSettings, MongoSettings } from "./settings.ts";

/** The embedded default: everything on this machine, no cloud, no containers, no root. */
export function local({ stack, protect, mongo, secrets }: LocalSettings) {
	const given = (name: string, generation: number): SecretSource =>
		secrets[name] === undefined ? { kind: "generated", generation } : { kind: "given", value: secrets[name] };
	const platform = mongo.existing ? new ExistingPlatform(mongo.existing) : localPlatform(stack, mongo);
	const { users, roles, adopt, address, basePort, dataRoot, existing, keyfileGeneration, adminGeneration, ...args } =
		mongo;
	const replicaSet = new MongoReplicaSet(args.name, {
		...args,
		members: existing?.length ?? args.members,
		stack,
		platform,
		protect,
		...(adopt && secrets.admin === undefined ? {} : { adminPassword: given("admin", adminGeneration) }),
		keyfile: keyfileSource(secrets, keyfileGeneration),
		...(adopt ? { adopt: adoption(adopt, secrets) } : {}),
	});
	const declared = Object.entries(roles).map(([role, args]) => new MongoRole(role, { replicaSet, ...args }));
	const uris = Object.entries(users).map(([user, { generation, ...args }]) => {
		const options = { parent: replicaSet, dependsOn: declared };
		return [
			user,
			new MongoUser(user, { replicaSet, ...args, password: given(user, generation) }, options).uri,
		] as const;
	});
	return {
		mongo: {
			replicaSet: args.name,
			hosts: replicaSet.hosts,
			id: replicaSet.replicaSetId,
			users: Object.fromEntries(uris),
		},
	};
}

const localPlatform = (stack: string, { address, basePort, dataRoot, adopt }: MongoSettings) =>
	new LocalPlatform(stack, {
		stack,
		address,
		basePort,
		...(dataRoot === undefined ? {} : { dataRoot }),
		adopt: adopt !== undefined,
	});

function adoption({ replicaSetId, adminUser }: NonNullable<MongoSettings["adopt"]>, secrets: LocalSettings["secrets"]) {
	if (!secrets.adopt)
		throw new pulumi.RunError(
			"HF_SETTING: holdfast:mongo.adopt needs the administrator's password. Next: pulumi config set --secret --path holdfast:secrets.adopt",
		);
	return {
		replicaSetId,
		admin: { user: adminUser, password: secrets.adopt },
		...(secrets.keyfile ? { keyfile: secrets.keyfile } : {}),
	};
}

const keyfileSource = (secrets: Record<string, pulumi.Output<string>>, generation: number): SecretSource =>
	secrets.keyfile === undefined
		? { kind: "generated", bytes: 756, encoding: "base64", generation }
		: { kind: "given", value: secrets.keyfile };
