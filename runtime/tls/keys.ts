import { hkdfSync, scrypt } from "node:crypto";
import { promisify } from "node:util";
import { p256 } from "@noble/curves/nist.js";

/**
 * scrypt's cost: 128 MiB and about half a second a generation. Certificates are public, and each lets anybody guess
 * passphrases: this is what a guess costs. Part of the derivation: changing it changes every certificate.
 */
const COST = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 1024 * 1024 };
const stretch = promisify<string, string, number, typeof COST, Buffer>(scrypt);

const masters = new Map<string, Promise<Buffer>>();

/** What all keys of one generation are derived from, computed once a process. */
export function masterKey(passphrase: string, cluster: string, generation: number): Promise<Buffer> {
	const salt = `holdfast/tls/${cluster}/${generation}`;
	const name = `${salt} ${passphrase}`;
	const known = masters.get(name) ?? stretch(passphrase, salt, 32, COST);
	masters.set(name, known);
	return known;
}

/** A P-256 key pair. */
export interface KeyPair {
	/** 32 bytes. */
	secret: Uint8Array;
	/** SubjectPublicKeyInfo, DER. */
	spki: Uint8Array;
}

/** The key for one purpose: HKDF-SHA256 of the master key, 48 bytes, reduced modulo the group's order. */
export function deriveKey(master: Uint8Array, purpose: readonly string[]): KeyPair {
	const seed = new Uint8Array(hkdfSync("sha256", master, "", JSON.stringify(purpose), 48));
	const { secretKey, publicKey } = p256.keygen(seed);
	const point = p256.Point.fromBytes(publicKey).toBytes(false);
	return { secret: secretKey, spki: Buffer.concat([SPKI, point]) };
}

/** ECDSA over SHA-256 with the nonce of RFC 6979: r and s of 32 bytes each. s is left as it is, as in the RFC. */
export const sign = (data: Uint8Array, { secret }: KeyPair): Uint8Array =>
	p256.sign(data, secret, { lowS: false, prehash: true, extraEntropy: false, format: "compact" });

/** DER of everything that comes before the point in a P-256 SubjectPublicKeyInfo (RFC 5480). */
const SPKI = Buffer.from("3059301306072a8648ce3d020106082a8648ce3d030107034200", "hex");
/** DER around the 32 bytes of a P-256 key in PKCS#8 with its public key (RFC 5208, RFC 5915). */
const PKCS8 = [
	Buffer.from("308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420", "hex"),
	Buffer.from("a144034200", "hex"),
] as const;

/** The secret key as PKCS#8 PEM: read by OpenSSL, and so PostgreSQL, Python and mongod, and by Go. */
export function keyPem({ secret, spki }: KeyPair): string {
	const der = Buffer.concat([PKCS8[0], secret, PKCS8[1], spki.subarray(SPKI.length)]);
	return pem("PRIVATE KEY", der);
}

export function pem(label: string, der: Uint8Array): string {
	const lines = Buffer.from(der)
		.toString("base64")
		.match(/.{1,64}/g)!;
	return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
