import { createHash, createPrivateKey, createPublicKey, verify as verifySignature, X509Certificate } from "node:crypto";
import { tmpdir } from "node:os";
import fc from "fast-check";
import { identityOf } from "../../../runtime/tls/identity.ts";
import { deriveKey, keyPem, sign } from "../../../runtime/tls/keys.ts";
import type { IdentityOutputs, Service } from "../../../runtime/tls/model.ts";
import { certificateFolder, identity, openssl } from "../../support/certificates.ts";
import { runNode } from "../../support/node.ts";

const seed = Number(process.env.HOLDFAST_SEED) || Date.now() % 2 ** 31;
const ALL: Service[] = ["postgres", "patroni", "etcd", "peer", "mongod", "client"];
const whole = identity({ services: ALL, users: ["replicator", "rewind"], trusted: [2, 1] });
/** Digests of the CA, a certificate and its key as the first release made them. */
const WRITTEN = [
	"29ad0dc91b2213dda0983ed2bf0ee137998e93dcda65debc2363d539020be426",
	"105d7ecf788bdcd084211bca5f6a70c4745db691d48430d483f2153eac94a5f6",
	"eb065eefc827c1279378c0304a122d61dd4cdc18b61ab40d0dc0544b337979e5",
];
const digest = (text: string) => createHash("sha256").update(text).digest("hex");
const certificate = (pem: string) => new X509Certificate(pem);

describe("the same everywhere", () => {
	test("two processes that differ in home, time zone, language and clock, and can draw no random number", async () => {
		const script = "test/support/identities.ts";
		const given = [JSON.stringify(whole)];
		const env = { PATH: process.env.PATH };
		const [one, other] = await Promise.all([
			runNode(script, given, { ...env, HOME: "/", TZ: "Pacific/Kiritimati", LANG: "tr_TR.UTF-8" }),
			runNode(script, given, { ...env, HOME: tmpdir(), TZ: "America/Anchorage", LANG: "C" }),
		]);
		expect(other).toBe(one);
		const read = JSON.parse(one) as IdentityOutputs;
		expect(Object.keys(read.files)).toHaveLength(2 * 6 + 2);
		expect(await identityOf(whole)).toEqual(read);
	});

	test("the certificates are those of earlier releases", async () => {
		// Written down: a change of the derivation would change every certificate in the field.
		const { ca, files } = await identityOf(identity());
		expect([digest(ca), digest(files["postgres.crt"]!), digest(files["postgres.key"]!)]).toEqual(WRITTEN);
	});

	test("the order in which hosts and trusted generations are listed, and how addresses are spelt, says nothing", async () => {
		const hosts = ["db.example", "fd00::1", "127.0.0.1"];
		const again = { hosts: ["127.0.0.1", "FD00:0::0001", "DB.example", "fd00::1"], trusted: [1, 2] };
		expect(await identityOf({ ...whole, ...again })).toEqual(await identityOf({ ...whole, hosts }));
	});

	test("a member that joins later has the same CA, and keys of its own", async () => {
		const [first, later] = await Promise.all([identityOf(whole), identityOf({ ...whole, member: "db-1" })]);
		expect(later!.ca).toBe(first!.ca);
		const keys = [first!, later!].flatMap(({ files }) =>
			Object.entries(files).filter(([name]) => name.endsWith(".key")),
		);
		expect(new Set(keys.map(([, text]) => text)).size).toBe(keys.length);
	});

	test("another cluster, passphrase or generation has another CA and other keys", async () => {
		const changes = [{}, { cluster: "other" }, { passphrase: `${whole.passphrase}!` }, { generation: 2, trusted: [2] }];
		const made = await Promise.all(changes.map((change) => identityOf(identity(change))));
		for (const text of [(o: IdentityOutputs) => o.ca, (o: IdentityOutputs) => o.files["postgres.key"]])
			expect(new Set(made.map(text)).size).toBe(changes.length);
	});

	test("a certificate has a number of its own: other content, other number", async () => {
		const changes = [{}, { hosts: ["127.0.0.2"] }, { days: 10 }, { epoch: "2026-01-02" }, { member: "db-1" }];
		const made = await Promise.all(changes.map((change) => identityOf(identity(change))));
		const numbers = made.map(({ files }) => certificate(files["postgres.crt"]!).serialNumber);
		expect(new Set(numbers).size).toBe(changes.length);
		for (const number of numbers) expect(number).toMatch(/^[4-7][0-9A-F]{31}$/);
		// A certificate that says something else still belongs to the same key.
		expect(made[1]!.files["postgres.key"]).toBe(made[0]!.files["postgres.key"]);
	});
});

describe("what a certificate says", () => {
	let made: IdentityOutputs;
	let folder: ReturnType<typeof certificateFolder>;
	beforeAll(async () => {
		made = await identityOf({ ...whole, trusted: [1], hosts: ["127.0.0.1", "fd00::1", "db.example"] });
		folder = certificateFolder(made.files);
	});
	afterAll(() => folder.remove());
	const text = (file: string) => openssl("x509", "-noout", "-text", "-in", folder.path(file));
	const verify = (...args: string[]) => openssl("verify", "-x509_strict", "-CAfile", folder.path("ca.pem"), ...args);

	test.each([
		["postgres", "TLS Web Server Authentication"],
		["patroni", "TLS Web Server Authentication, TLS Web Client Authentication"],
		["etcd", "TLS Web Server Authentication, TLS Web Client Authentication"],
		["peer", "TLS Web Server Authentication, TLS Web Client Authentication"],
		["mongod", "TLS Web Server Authentication, TLS Web Client Authentication"],
		["client", "TLS Web Client Authentication"],
	])("%s: usage, subject, names, and a chain that openssl accepts", async (service, usage) => {
		const file = service === "mongod" ? "mongod.pem" : `${service}.crt`;
		const said = await text(file);
		expect(said).toContain(`Extended Key Usage: \n                ${usage}\n`);
		expect(said).toMatch(/Basic Constraints: critical\n\s+CA:FALSE\n/);
		expect(said).toMatch(/Key Usage: critical\n\s+Digital Signature\n/);
		expect(said).toContain(`Subject: O = db, OU = ${service}, CN = ${service === "client" ? "replicator" : "db-0"}\n`);
		const names = "IP Address:127.0.0.1, DNS:db.example, IP Address:FD00:0:0:0:0:0:0:1";
		expect(said.includes(names)).toBe(service !== "client");
		expect(await verify(folder.path(file))).toContain("OK");
		if (service === "client") return;
		const purpose = ["-purpose", "sslserver"];
		for (const name of [
			["-verify_ip", "127.0.0.1"],
			["-verify_ip", "fd00::1"],
			["-verify_hostname", "db.example"],
		])
			expect(await verify(...purpose, ...name, folder.path(file))).toContain("OK");
		for (const name of [
			["-verify_ip", "127.0.0.2"],
			["-verify_hostname", "example"],
		])
			await expect(verify(...purpose, ...name, folder.path(file))).rejects.toThrow(/mismatch/);
	});

	test("a client's certificate is not taken for a server's, nor a server's for a client's", async () => {
		await expect(verify("-purpose", "sslserver", folder.path("client.crt"))).rejects.toThrow(/purpose/);
		await expect(verify("-purpose", "sslclient", folder.path("postgres.crt"))).rejects.toThrow(/purpose/);
	});

	test("the CA signs certificates and no other CA, and lives as long as they do", async () => {
		const said = await text("ca.pem");
		expect(said).toMatch(/Basic Constraints: critical\n\s+CA:TRUE, pathlen:0\n/);
		expect(said).toMatch(/Key Usage: critical\n\s+Certificate Sign, CRL Sign\n/);
		const all = Object.entries(made.files).filter(([name]) => !name.endsWith(".key"));
		for (const [, pem] of all) {
			const { validFromDate, validToDate } = certificate(pem);
			expect([validFromDate.toISOString(), validToDate.toISOString()]).toEqual([
				"2026-01-01T00:00:00.000Z",
				made.notAfter,
			]);
		}
		expect(made.notAfter).toBe("2035-12-30T00:00:00.000Z");
	});

	test("further users have certificates of their own, and every key belongs to its certificate", () => {
		expect(certificate(made.files["client-rewind.crt"]!).subject).toContain("CN=rewind");
		for (const name of ["postgres", "patroni", "etcd", "peer", "client", "client-rewind"])
			expect(
				certificate(made.files[`${name}.crt`]!).checkPrivateKey(createPrivateKey(made.files[`${name}.key`]!)),
			).toBe(true);
		const both = made.files["mongod.pem"]!;
		expect(certificate(both).checkPrivateKey(createPrivateKey(both))).toBe(true);
	});

	test("dates beyond 2049 are written as RFC 5280 wants them", async () => {
		const far = await identityOf(identity({ epoch: "2049-12-01", days: 36_500 }));
		const { path, remove } = certificateFolder(far.files);
		const dates = await openssl("x509", "-noout", "-dates", "-in", path("postgres.crt"));
		remove();
		expect(dates).toBe("notBefore=Dec  1 00:00:00 2049 GMT\nnotAfter=Nov  7 00:00:00 2149 GMT\n");
	});
});

test("while two generations are trusted, certificates of either are accepted; afterwards only the new one's", async () => {
	const make = (generation: number, trusted: number[]) => identityOf(identity({ generation, trusted }));
	const [old, turning, turned] = await Promise.all([make(1, [1, 2]), make(2, [1, 2]), make(2, [2])]);
	const files = { "old.crt": old!.files["postgres.crt"]!, "new.crt": turning!.files["postgres.crt"]! };
	const { path, remove } = certificateFolder({ ...files, "both.pem": turning!.ca, "new.pem": turned!.ca });
	try {
		for (const name of ["old.crt", "new.crt"])
			expect(await openssl("verify", "-CAfile", path("both.pem"), path(name))).toContain("OK");
		expect(await openssl("verify", "-CAfile", path("new.pem"), path("new.crt"))).toContain("OK");
		await expect(openssl("verify", "-CAfile", path("new.pem"), path("old.crt"))).rejects.toThrow(/unable to get/);
	} finally {
		remove();
	}
	expect(old!.ca).toBe(turning!.ca);
	expect(old!.ca.endsWith(turned!.ca)).toBe(true);
});

test(`keys are what other programs read, and signatures what they verify (seed ${seed})`, () => {
	const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
	fc.assert(
		fc.property(bytes, fc.string({ unit: "grapheme" }), fc.uint8Array({ maxLength: 300 }), (master, name, data) => {
			const pair = deriveKey(master, ["leaf", name]);
			const key = createPrivateKey(keyPem(pair));
			expect(key.export({ type: "pkcs8", format: "pem" })).toBe(keyPem(pair));
			const open = createPublicKey({ key: Buffer.from(pair.spki), format: "der", type: "spki" });
			expect(createPublicKey(key).equals(open)).toBe(true);
			const signature = sign(data, pair);
			expect(sign(data, pair)).toEqual(signature);
			expect(verifySignature("sha256", data, { key: open, dsaEncoding: "ieee-p1363" }, signature)).toBe(true);
		}),
		{ seed, numRuns: 60 },
	);
});

test("the nonce is that of RFC 6979 (its own example for P-256 and SHA-256)", () => {
	const secret = Buffer.from("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721", "hex");
	const signature = sign(Buffer.from("sample"), { secret, spki: new Uint8Array() });
	expect(Buffer.from(signature).toString("hex").toUpperCase()).toBe(
		"EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716" +
			"F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
	);
});
