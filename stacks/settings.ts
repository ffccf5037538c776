import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { type MongoSettings, mongoSecretsShape, mongoSettings, unknownRoleProblems } from "./mongoSettings.ts";
import { type PostgresSettings, postgresSecretsShape, postgresSettings } from "./postgresSettings.ts";
import { type RedisSettings, redisSecretsShape, redisSettings } from "./redisSettings.ts";

const localSettings = z.strictObject({
	program: z.literal("local"),
	/** Refuse to delete clusters and the secrets they were born with. @default true */
	protect: z.boolean().default(true),
	mongo: mongoSettings.optional(),
	postgres: postgresSettings.optional(),
	redis: redisSettings.optional(),
});
const settings = z.discriminatedUnion("program", [localSettings]);

type Secrets = Record<string, pulumi.Output<string>>;

export interface LocalSettings {
	program: "local";
	stack: string;
	protect: boolean;
	mongo?: MongoSettings;
	postgres?: PostgresSettings;
	redis?: RedisSettings;
	/** Secrets that the operator gives, by name: MongoDB's, and below `postgres` and `redis` those of the others. */
	secrets: { mongo: Secrets; postgres: Secrets; redis: Secrets };
}

/** The stack's configuration, checked. The only reader of `pulumi.Config`; throws for anything it does not know. */
export function readSettings(): LocalSettings {
	const config = new pulumi.Config("holdfast");
	const read = {
		program: config.get("program") ?? "local",
		protect: config.getBoolean("protect"),
		...systemsOf({
			mongo: config.getObject("mongo"),
			postgres: config.getObject("postgres"),
			redis: config.getObject("redis"),
		}),
	};
	const result = settings.safeParse(read);
	if (!result.success)
		throw refused(result.error.issues.map(({ path, message }) => `holdfast:${path.join(".")}: ${message}`));
	const problems = [...(result.data.mongo ? unknownRoleProblems(result.data.mongo) : []), ...twins(result.data)];
	if (problems.length > 0) throw refused(problems);
	return { ...result.data, stack: pulumi.getStack(), secrets: givenSecrets(config, result.data) };
}

/** What is not mentioned does not run; a stack that mentions nothing runs everything with its defaults. */
function systemsOf(mentioned: Record<"mongo" | "postgres" | "redis", object | undefined>) {
	const none = Object.values(mentioned).every((system) => system === undefined);
	return none ? { mongo: {}, postgres: {}, redis: {} } : mentioned;
}

/** Records and members' folders go by the cluster's name. */
function twins({ mongo, postgres, redis }: z.output<typeof localSettings>): string[] {
	const isMongo = mongo && mongo.name === postgres?.name;
	const taken =
		redis && { [mongo?.name ?? ""]: "replica set", [postgres?.name ?? ""]: "PostgreSQL cluster" }[redis.name];
	return [
		...(isMongo ? [`holdfast:postgres.name: ${mongo.name} is the replica set's name`] : []),
		...(taken ? [`holdfast:redis.name: ${redis.name} is the ${taken}'s name`] : []),
	];
}

const refused = (problems: string[]) =>
	new pulumi.RunError(
		`HF_SETTING: ${problems.join("; ")}. Next: correct stacks/config/Pulumi.${pulumi.getStack()}.yaml`,
	);

/** The messages name secrets, never their values. */
function givenSecrets(config: pulumi.Config, read: z.output<typeof localSettings>): LocalSettings["secrets"] {
	const roles = Object.keys(read.postgres?.roles ?? {});
	const below = z.strictObject(postgresSecretsShape(roles)).partial();
	const redisBelow = z.strictObject(redisSecretsShape).partial();
	const own = mongoSecretsShape(Object.keys(read.mongo?.users ?? {}));
	const shape = { ...own, postgres: below, redis: redisBelow };
	const result = z
		.strictObject(shape)
		.partial()
		.safeParse(config.getObject("secrets") ?? {});
	if (!result.success)
		throw refused(
			result.error.issues.map(({ path, message }) => `holdfast:${["secrets", ...path].join(".")}: ${message}`),
		);
	const { postgres = {}, redis = {}, ...mongo } = result.data as Record<"postgres" | "redis", Record<string, string>>;
	return { mongo: hidden(mongo), postgres: hidden(postgres), redis: hidden(redis) };
}

const hidden = (values: Record<string, string>): Secrets =>
	Object.fromEntries(Object.entries(values).map(([name, value]) => [name, pulumi.secret(value)]));
