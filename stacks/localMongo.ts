import * as pulumi from "@pulumi/pulumi";
import { MongoReplicaSet } from "../components/mongo/replicaSet.ts";
import { MongoRole } from "../components/mongo/role.ts";
import { MongoUser } from "../components/mongo/user.ts";
import { ExistingPlatform } from "../components/platform/existing.ts";
import { type LocalHost, LocalPlatform } from "../components/platform/local.ts";
import type { SecretSource } from "../components/secret.ts";
import type { MongoSettings } from "./mongoSettings.ts";

/** What all systems of a local stack share. */
export interface LocalContext {
	stack: string;
	protect: boolean;
	/** Absent where nothing runs on this machine. */
	supervisor?: LocalHost;
	secrets: Record<string, pulumi.Output<string>>;
}

/** A secret that the operator gives, or one that is generated. */
export const givenOr = (secrets: LocalContext["secrets"], name: string, generation: number): SecretSource =>
	secrets[name] === undefined ? { kind: "generated", generation } : { kind: "given", value: secrets[name] };

/** The replica set of a local stack with its users and roles, and `told`: what the stack says of them. */
export function localMongo(mongo: MongoSettings, { stack, protect, supervisor, secrets }: LocalContext) {
	const { users, roles, adopt, address, basePort, dataRoot, existing, keyfileGeneration, adminGeneration, ...args } =
		mongo;
	const local = { stack, address, basePort, ...(dataRoot === undefined ? {} : { dataRoot }) };
	const platform = existing ? new ExistingPlatform(existing) : new LocalPlatform({ ...local, supervisor: supervisor! });
	const replicaSet = new MongoReplicaSet(args.name, {
		...args,
		members: existing?.length ?? args.members,
		stack,
		platform,
		protect,
		...(adopt && secrets.admin === undefined ? {} : { adminPassword: givenOr(secrets, "admin", adminGeneration) }),
		keyfile: keyfileSource(secrets, keyfileGeneration),
		...(args.tls ? { tlsPassphrase: givenOr(secrets, "tls", 1) } : {}),
		...(adopt ? { adopt: adoption(adopt, secrets) } : {}),
	});
	const declared = Object.entries(roles).map(([role, args]) => new MongoRole(role, { replicaSet, ...args }));
	const uris = Object.entries(users).map(([user, { generation, ...args }]) => {
		const options = { parent: replicaSet, dependsOn: declared };
		return [
			user,
			new MongoUser(user, { replicaSet, ...args, password: givenOr(secrets, user, generation) }, options).uri,
		] as const;
	});
	const told = {
		replicaSet: args.name,
		hosts: replicaSet.hosts,
		id: replicaSet.replicaSetId,
		...(replicaSet.tls ? { ca: replicaSet.tls.ca } : {}),
		users: Object.fromEntries(uris),
	};
	return { replicaSet, told };
}

function adoption({ replicaSetId, adminUser }: NonNullable<MongoSettings["adopt"]>, secrets: LocalContext["secrets"]) {
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

const keyfileSource = (secrets: LocalContext["secrets"], generation: number): SecretSource =>
	secrets.keyfile === undefined
		? { kind: "generated", bytes: 756, encoding: "base64", generation }
		: { kind: "given", value: secrets.keyfile };
