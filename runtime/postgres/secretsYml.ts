import { parse } from "yaml";
import { z } from "zod";
import { restPasswordSchema, systemPasswordSchema } from "./arguments.ts";
import { PATRONI_FOLDER } from "./patroniYml.ts";
import { yamlText } from "./yamlText.ts";

export const SECRETS_FILE = `${PATRONI_FOLDER}/50-secrets.yml`;

/** Passwords that every Patroni of a cluster knows. */
export const secretsSchema = z.strictObject({
	superuser: systemPasswordSchema,
	replication: systemPasswordSchema,
	rewind: systemPasswordSchema,
	/** Of the REST API's user. */
	rest: restPasswordSchema,
	/** Of Patroni's user in etcd. */
	etcd: systemPasswordSchema,
});
export type PatroniSecrets = z.output<typeof secretsSchema>;

/** Text of 50-secrets.yml, which Patroni merges into its configuration. Throws a ZodError for what cannot work. */
export function secretsYml(secrets: PatroniSecrets): string {
	const { superuser, replication, rewind, rest, etcd } = secretsSchema.parse(secrets);
	return yamlText({
		restapi: { authentication: { password: rest } },
		etcd3: { password: etcd },
		postgresql: {
			authentication: {
				superuser: { password: superuser },
				replication: { password: replication },
				rewind: { password: rewind },
			},
		},
	});
}

const password = z.object({ password: z.string() });
const fileSchema = z.object({
	restapi: z.object({ authentication: password }),
	etcd3: password,
	postgresql: z.object({ authentication: z.object({ superuser: password, replication: password, rewind: password }) }),
});

/** What a member's file holds; `undefined` when it is not one of ours. */
export function parseSecrets(text: string): PatroniSecrets | undefined {
	const file = fileSchema.safeParse(parse(text, { version: "1.1" })).data;
	if (!file) return undefined;
	const { superuser, replication, rewind } = file.postgresql.authentication;
	return {
		superuser: superuser.password,
		replication: replication.password,
		rewind: rewind.password,
		rest: file.restapi.authentication.password,
		etcd: file.etcd3.password,
	};
}
