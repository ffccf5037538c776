import "reflect-metadata";
import { createHash, type webcrypto } from "node:crypto";
import {
	AuthorityKeyIdentifierExtension,
	BasicConstraintsExtension,
	ExtendedKeyUsage,
	ExtendedKeyUsageExtension,
	type Extension,
	KeyUsageFlags,
	KeyUsagesExtension,
	Name,
	SubjectAlternativeNameExtension,
	SubjectKeyIdentifierExtension,
	X509CertificateGenerator,
} from "@peculiar/x509";
import { type KeyPair, pem, sign } from "./keys.ts";

/** Attribute and value in their order, e.g. `[["O", "rs0"], ["CN", "rs0-0"]]`. */
export type Subject = readonly (readonly [string, string])[];

export interface Validity {
	notBefore: Date;
	notAfter: Date;
}

export interface Authority {
	subject: Subject;
	key: KeyPair;
}

export interface LeafRequest extends Validity {
	subject: Subject;
	key: KeyPair;
	server: boolean;
	client: boolean;
	/** Tells certificates apart that say the same; part of the serial number. @default none */
	edition?: string;
	/** Subject alternative names; none for certificates of users. */
	names: readonly { type: "ip" | "dns"; value: string }[];
}

const sha256 = (...parts: (string | Uint8Array)[]): Buffer => {
	const hash = createHash("sha256");
	for (const part of parts) hash.update(part);
	return hash.digest();
};

/** RFC 7093, method 1: the first 160 bits of the SHA-256 of the public point, in hexadecimal. */
const keyId = ({ spki }: KeyPair): string => sha256(spki.subarray(-65)).toString("hex", 0, 20);

/** A CA's own certificate, PEM. It signs leaves and no other CA. */
export function authorityCertificate({ subject, key }: Authority, validity: Validity): Promise<string> {
	const extensions = [
		new BasicConstraintsExtension(true, 0, true),
		new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
		new SubjectKeyIdentifierExtension(keyId(key)),
	];
	return issue({ subject, key }, { subject, key, ...validity }, extensions);
}

/** A member's or a user's certificate, PEM. */
export function leafCertificate(issuer: Authority, request: LeafRequest): Promise<string> {
	const { server, client, names, key } = request;
	const usages = [...(server ? [ExtendedKeyUsage.serverAuth] : []), ...(client ? [ExtendedKeyUsage.clientAuth] : [])];
	const extensions = [
		new BasicConstraintsExtension(false, undefined, true),
		new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
		new ExtendedKeyUsageExtension(usages),
		new SubjectKeyIdentifierExtension(keyId(key)),
		new AuthorityKeyIdentifierExtension(keyId(issuer.key)),
		...(names.length > 0 ? [new SubjectAlternativeNameExtension([...names])] : []),
	];
	return issue(issuer, request, extensions);
}

/** What the generator reads of a key; the key itself is the signer's. */
const P256 = { algorithm: { name: "ECDSA", namedCurve: "P-256" } } as unknown as webcrypto.CryptoKey;

type Issued = Validity & { subject: Subject; key: KeyPair; edition?: string };

async function issue(issuer: Authority, issued: Issued, extensions: Extension[]): Promise<string> {
	const { subject, key, notBefore, notAfter } = issued;
	const certificate = await X509CertificateGenerator.create(
		{
			serialNumber: serialNumber(issuer, issued, extensions),
			subject: nameOf(subject),
			issuer: nameOf(issuer.subject),
			notBefore,
			notAfter,
			publicKey: key.spki as Uint8Array<ArrayBuffer>,
			signingKey: P256,
			extensions,
		},
		signer(issuer.key),
	);
	return pem("CERTIFICATE", new Uint8Array(certificate.rawData));
}

/**
 * A hash of all that the certificate says, so that two certificates of a CA never share a number and the same one
 * always has the same: 127 bits, positive, of fixed length.
 */
function serialNumber(issuer: Authority, issued: Issued, extensions: Extension[]): string {
	const { subject, key, notBefore, notAfter, edition } = issued;
	const more = edition === undefined ? [] : [edition];
	const said = JSON.stringify([issuer.subject, subject, notBefore.toISOString(), notAfter.toISOString(), ...more]);
	const parts = [issuer.key.spki, key.spki, ...extensions.map(({ rawData }) => new Uint8Array(rawData))];
	const digest = sha256(said, ...parts).subarray(0, 16);
	digest[0] = (digest[0]! & 0x3f) | 0x40;
	return digest.toString("hex");
}

const nameOf = (subject: Subject): Name => new Name(subject.map(([type, value]) => ({ [type]: [value] })));

/** In WebCrypto's place, whose ECDSA is random: only what the generator calls, and nothing else can be called. */
function signer(key: KeyPair): webcrypto.Crypto {
	const subtle = {
		sign: async (_algorithm: unknown, _key: unknown, data: ArrayBuffer) => sign(new Uint8Array(data), key),
	};
	return { subtle } as unknown as webcrypto.Crypto;
}
