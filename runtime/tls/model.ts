import { z } from "zod";
import { nameSchema } from "../platform/model.ts";
import { MIN_PASSPHRASE } from "../secret/model.ts";

/**
 * Who a certificate is for. `postgres`: a server. `patroni`, `etcd`, `peer` (etcd's own traffic), `mongod`: servers that
 * call each other, or themselves, with the same certificate. `etcd-client`: whoever calls etcd. `client`: a database user.
 */
export const serviceSchema = z.enum(["postgres", "patroni", "etcd", "etcd-client", "peer", "mongod", "client"]);
export type Service = z.output<typeof serviceSchema>;

const generationSchema = z.number().int().min(1);
const passphraseSchema = z.string().min(MIN_PASSPHRASE, `use at least ${MIN_PASSPHRASE} characters`);

const trustedSchema = z
	.array(generationSchema)
	.min(1)
	.max(8, "trust at most 8 generations")
	.refine((trusted) => new Set(trusted).size === trusted.length, "a generation is listed twice");

/** Midnight UTC of this day. UTCTime, as certificates write it, begins in 1950; nobody means 3000. */
const epochSchema = z.iso
	.date("use a date: 2026-01-31")
	.refine((date) => date >= "2000" && date < "3000", "use a date between 2000 and 2999");

const daysSchema = z.number().int().min(1).max(36_500);

/** What a program says about certificates, the passphrase and the members apart. */
export const certificateArgumentsSchema = z.strictObject({
	/** The CA that signs. Raise by one to rotate, after an `up` with the new one in `trusted`. @default 1 */
	generation: generationSchema.default(1),
	/** Generations whose CA is trusted; two while they rotate. @default [generation] */
	trusted: trustedSchema.optional(),
	/** Days that certificates are valid from `epoch` on. @default 3650 */
	validityDays: daysSchema.default(3650),
	/** Day, at 00:00 UTC, from which certificates are valid: never the clock's. Raise it to renew. @default "2026-01-01" */
	epoch: epochSchema.default("2026-01-01"),
});
export type CertificateArguments = z.input<typeof certificateArgumentsSchema>;

/** One label of a DNS name. A name whose last label is a number would be a mistyped address. */
const LABEL = "[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?";
const DNS_NAME = new RegExp(`^(?=.{1,253}$)(${LABEL}\\.)*(?!\\d+$)${LABEL}$`);

const hostSchema = z.union([z.ipv4(), z.ipv6(), z.string().regex(DNS_NAME)], "use an IP address or a host name");

/** The passphrase of earlier generations, while it is being replaced. */
export const formerPassphraseSchema = z.strictObject({
	passphrase: passphraseSchema,
	/** The last generation that is derived from it. */
	generation: generationSchema,
});

export const identitySchema = z
	.strictObject({
		/** Part of every key: another cluster with the same passphrase has another CA. */
		cluster: nameSchema,
		/** The subject of the member's certificates. */
		member: nameSchema,
		/** Addresses and names under which the member is called. */
		hosts: z.array(hostSchema).min(1),
		services: z.array(serviceSchema).min(1),
		/** Users of `client` certificates: the first one's is `client.crt`, another's `client-<user>.crt`. */
		users: z.array(nameSchema),
		/** Whoever has it has the CA. */
		passphrase: passphraseSchema,
		former: formerPassphraseSchema.optional(),
		generation: generationSchema,
		trusted: trustedSchema,
		epoch: epochSchema,
		days: daysSchema,
	})
	.superRefine(({ generation, trusted, services, users }, context) => {
		const issue = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
		if (!trusted.includes(generation)) issue("trusted", `must include generation ${generation}, which signs`);
		if (services.includes("client") !== users.length > 0)
			issue("users", "name the users of the service client, and only then");
		if (new Set(users).size !== users.length) issue("users", "a user is listed twice");
	});
export type IdentityInputs = z.output<typeof identitySchema>;

export interface IdentityOutputs {
	/**
	 * File name -> PEM text: `ca.pem` (every trusted CA), `<service>.crt` and `<service>.key` (PKCS#8), for mongod both in
	 * `mongod.pem`.
	 */
	files: Record<string, string>;
	/** Every trusted CA: what clients verify servers with. Not secret. */
	ca: string;
	/** When the certificates end, in ISO 8601. */
	notAfter: string;
}
