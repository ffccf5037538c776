import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { type MongoSettings, mongoSecretsShape, mongoSettings, unknownRoleProblems } from "./mongoSettings.ts";
import { type PostgresSettings, postgresSecretsShape, postgresSettings } from "./postgresSettings.ts";

const localSettings = z.strictObject({
	program: z.literal("local"),
	/** Refuse to delete clusters and the secrets they were born with. @default true */
	protect: z.boolean().default(true),
	mongo: mongoSettings.optional(),
	postgres: postgresSettings.optional(),
});
const settings = z.discriminatedUnion("program", [localSettings]);

type Secrets = Record<string, pulumi.Output<string>>;

export interface LocalSettings {
	program: "local";
	stack: string;
	protect: boolean;
	mongo?: MongoSettings;
	postgres?: PostgresSettings;
	/** Secrets that the operator gives, by name: MongoDB's, and below `postgres` PostgreSQL's. */
	secrets: { mongo: Secrets; postgres: Secrets };
}

/** The stack's configuration, checked. The only reader of `pulumi.Config`; throws for anything it does not know. */
export function readSettings(): LocalSettings {
	const config = new pulumi.Config("holdfast");
	const read = {
		program: config.get("program") ?? "local",
		protect: config.getBoolean("protect"),
		...systemsOf(config.getObject("mongo"), config.getObject("postgres")),
	};
	const result = settings.safeParse(read);
	if (!result.success)
		throw refused(result.error.issues.map(({ path, message }) => `holdfast:${path.join(".")}: ${message}`));
	const problems = [...(result.data.mongo ? unknownRoleProblems(result.data.mongo) : []), ...twins(result.data)];
	if (problems.length > 0) throw refused(problems);
	return { ...result.data, stack: pulumi.getStack(), secrets: givenSecrets(config, result.data) };
}

/** What is not mentioned does not run; a stack that mentions nothing runs everything with its defaults. */
function systemsOf(mongo: object | undefined, postgres: object | undefined) {
	return mongo === undefined && postgres === undefined ? { mongo: {}, postgres: {} } : { mongo, postgres };
}

/** Records and members' folders go by the cluster's name. */
const twins = ({ mongo, postgres }: z.output<typeof localSettings>): string[] =>
	mongo && mongo.name === postgres?.name ? [`holdfast:postgres.name: ${mongo.name} is the replica set's name`] : [];

const refused = (problems: string[]) =>
	new pulumi.RunError(
		`HF_SETTING: ${problems.join("; ")}. Next: correct stacks/config/Pulumi.${pulumi.getStack()}.yaml`,
	);

/** The messages name secrets, never their values. */
function givenSecrets(config: pulumi.Config, read: z.output<typeof localSettings>): LocalSettings["secrets"] {
	const roles = Object.keys(read.postgres?.roles ?? {});
	const below = z.strictObject(postgresSecretsShape(roles)).partial();
	const shape = { ...mongoSecretsShape(Object.keys(read.mongo?.users ?? {})), postgres: below };
	const result = z
		.strictObject(shape)
		.partial()
		.safeParse(config.getObject("secrets") ?? {});
	if (!result.success)
		throw refused(
			result.error.issues.map(({ path, message }) => `holdfast:${["secrets", ...path].join(".")}: ${message}`),
		);
	const { postgres = {}, ...own } = result.data as { postgres?: Record<string, string> } & Record<string, string>;
	return { mongo: hidden(own), postgres: hidden(postgres) };
}

const hidden = (values: Record<string, string>): Secrets =>
	Object.fromEntries(Object.entries(values).map(([name, value]) => [name, pulumi.secret(value)]));
