import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { prepare } from "./saslprep.ts";

/** PostgreSQL's own (RFC 7677's least): clients pay them at every login. */
const ITERATIONS = 4096;
const SALT_BYTES = 16;

const derive = promisify(pbkdf2);
const hmac = (key: Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();

async function compute(password: string, salt: Buffer, iterations: number): Promise<string> {
	const salted = await derive(prepare(password), salt, iterations, 32, "sha256");
	const stored = createHash("sha256").update(hmac(salted, "Client Key")).digest("base64");
	const server = hmac(salted, "Server Key").toString("base64");
	return `SCRAM-SHA-256$${iterations}:${salt.toString("base64")}$${stored}:${server}`;
}

/**
 * What a server keeps of a password (RFC 5802, RFC 7677), with a new salt: handed over in place of the password, which
 * so reaches no server, log or pg_stat_activity.
 */
export const verifierOf = (password: string): Promise<string> => compute(password, randomBytes(SALT_BYTES), ITERATIONS);

/** Whether a stored verifier is of this password: computed again with its own salt. No verifier, or md5's: no. */
export async function verifies(stored: string | null, password: string): Promise<boolean> {
	const [, iterations, salt] = /^SCRAM-SHA-256\$(\d+):([A-Za-z0-9+/=]+)\$/.exec(stored ?? "") ?? [];
	if (iterations === undefined || salt === undefined) return false;
	const computed = await compute(password, Buffer.from(salt, "base64"), Number(iterations));
	const [known, given] = [Buffer.from(stored!), Buffer.from(computed)];
	return known.length === given.length && timingSafeEqual(known, given);
}
