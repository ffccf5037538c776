import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import {
	type IdMapsSettings,
	idMapSecretsShape,
	idMapsSettings,
	type MigrationsSettings,
	migrationProblems,
	migrationsSettings,
} from "./migrationSettings.ts";
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
	idMaps: idMapsSettings.default({}),
	migrations: migrationsSettings.default({}),
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
	idMaps: IdMapsSettings;
	migrations: MigrationsSettings;
	/** Secrets that the operator gives, by name: MongoDB's, and those of the others below a name of their own. */
	secrets: { mongo: Secrets; postgres: Secrets; redis: Secrets; idMaps: Secrets };
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
			idMaps: config.getObject("idMaps"),
			migrations: config.getObject("migrations"),
		}),
	};
	const result = settings.safeParse(read);
	if (!result.success)
		throw refused(result.error.issues.map(({ path, message }) => `holdfast:${path.join(".")}: ${message}`));
	const { mongo } = result.data;
	const ofMigrations = migrationProblems(result.data);
	const problems = [...(mongo ? unknownRoleProblems(mongo) : []), ...twins(result.data), ...ofMigrations];
	if (problems.length > 0) throw refused(problems);
	return { ...result.data, stack: pulumi.getStack(), secrets: givenSecrets(config, result.data) };
}

type System = "mongo" | "postgres" | "redis";

/** What is not mentioned does not run; a stack that mentions nothing runs everything with its defaults. */
function systemsOf(mentioned: Record<System | "idMaps" | "migrations", object | undefined>) {
	const none = Object.values(mentioned).every((part) => part === undefined);
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

type Below = "postgres" | "redis" | "idMaps";

/** The messages name secrets, never their values. */
function givenSecrets(config: pulumi.Config, read: z.output<typeof localSettings>): LocalSettings["secrets"] {
	const roles = Object.keys(read.postgres?.roles ?? {});
	const below = z.strictObject(postgresSecretsShape(roles)).partial();
	const redisBelow = z.strictObject(redisSecretsShape).partial();
	const mapsBelow = z.strictObject(idMapSecretsShape(Object.keys(read.idMaps))).partial();
	const own = mongoSecretsShape(Object.keys(read.mongo?.users ?? {}));
	const shape = { ...own, postgres: below, redis: redisBelow, idMaps: mapsBelow };
	const result = z
		.strictObject(shape)
		.partial()
		.safeParse(config.getObject("secrets") ?? {});
	if (!result.success)
		throw refused(
			result.error.issues.map(({ path, message }) => `holdfast:${["secrets", ...path].join(".")}: ${message}`),
		);
	const { postgres = {}, redis = {}, idMaps = {}, ...mongo } = result.data as Record<Below, Record<string, string>>;
	return { mongo: hidden(mongo), postgres: hidden(postgres), redis: hidden(redis), idMaps: hidden(idMaps) };
}

const hidden = (values: Record<string, string>): Secrets =>
	Object.fromEntries(Object.entries(values).map(([name, value]) => [name, pulumi.secret(value)]));
