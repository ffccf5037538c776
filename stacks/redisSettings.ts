import { z } from "zod";
import { apiKeySchema, nodePasswordSchema, redisArgumentsSchema } from "../runtime/redis/model.ts";

const generation = z.number().int().min(1).default(1);

/** Members know each other by addresses, never by names. */
const addressSchema = z.union([z.ipv4(), z.ipv6()], "use an IP address");

export const redisSettings = z.strictObject({
	...redisArgumentsSchema.shape,
	/** Address the nodes bind to, and by which managers know them. @default "127.0.0.1" */
	address: addressSchema.default("127.0.0.1"),
	/** Address the managers bind to; `0.0.0.0` is every one of the machine. @default `address` */
	managerAddress: addressSchema.optional(),
	/** Folder that holds the members' folders. @default `.holdfast/<stack>/members` */
	dataRoot: z.string().startsWith("/", "use an absolute path").optional(),
	/** Raise by one to rotate the API key; the former one counts until the next. @default 1 */
	apiKeyGeneration: generation,
	/** Raise by one to rotate the password of the managers' user on the nodes. @default 1 */
	nodeGeneration: generation,
	/** Raise by one to rotate the password of the nodes' administrator. @default 1 */
	adminGeneration: generation,
	/** Take over the members' folders that a stack whose state was lost left here. @default false */
	adopt: z.boolean().default(false),
});
export type RedisSettings = z.output<typeof redisSettings>;

/** Secrets that the operator gives: `apiKey` and `nodePassword`. */
export const redisSecretsShape: Record<string, z.ZodType<string>> = {
	apiKey: apiKeySchema,
	nodePassword: nodePasswordSchema,
};
