import { z } from "zod";

/** A passphrase shorter than this is guessed, not derived from. */
export const MIN_PASSPHRASE = 16;

/** How the bytes are written: base64 (88 characters for 64 bytes), base64url (no `+/=`), hex. */
export const encodingSchema = z.enum(["base64", "base64url", "hex"]);
export type SecretEncoding = z.infer<typeof encodingSchema>;

const common = {
	/** Bytes of the secret before encoding. */
	bytes: z.number().int().min(16).max(1024),
	encoding: encodingSchema,
	/** Raise by one to rotate: shown in preview, unlike the value. */
	generation: z.number().int().min(1),
};

export const secretSchema = z.strictObject({
	/** Printed everywhere, and part of what is derived. */
	name: z.string().min(1),
	source: z.discriminatedUnion("kind", [
		z.strictObject({ kind: z.literal("generated"), ...common }),
		z.strictObject({
			kind: z.literal("derived"),
			/** The same passphrase and name give the same secret on every host. */
			passphrase: z.string().min(MIN_PASSPHRASE, `use at least ${MIN_PASSPHRASE} characters`),
			...common,
		}),
		z.strictObject({ kind: z.literal("given"), value: z.string().min(1, "must not be empty") }),
	]),
});
export type SecretInputs = z.infer<typeof secretSchema>;
export interface SecretOutputs {
	value: string;
}
