import fc from "fast-check";
import { ConnectionString } from "mongodb-connection-string-url";
import { mongoUri } from "../../../runtime/mongo/uri.ts";

const seed = Number(process.env.HOLDFAST_SEED) || Date.now() % 2 ** 31;
const parts = {
	hosts: ["10.0.0.1:27017", "[fd00::1]:27018"],
	replicaSet: "rs0",
	user: "u",
	password: "p",
	authSource: "users",
};
const query = (uri: string) => Object.fromEntries(new ConnectionString(uri).searchParams);

test("carries everything that survives a failover", () => {
	expect(mongoUri(parts)).toBe(
		"mongodb://u:p@10.0.0.1:27017,[fd00::1]:27018/?replicaSet=rs0&authSource=users&connectTimeoutMS=5000&socketTimeoutMS=30000" +
			"&serverSelectionTimeoutMS=30000&readPreference=primary&w=majority&retryWrites=true&retryReads=true",
	);
});

test("says TLS where clients must speak it, and nothing of it elsewhere", () => {
	expect(query(mongoUri({ ...parts, tls: true }))).toMatchObject({ tls: "true" });
	expect(query(mongoUri({ ...parts, tls: false }))).not.toHaveProperty("tls");
});

test("options replace the defaults, and nothing unknown goes in", () => {
	const options = { socketTimeoutMS: 0, readPreference: "secondaryPreferred" as const, w: 1, retryWrites: false };
	expect(query(mongoUri({ ...parts, options }))).toMatchObject({
		socketTimeoutMS: "0",
		readPreference: "secondaryPreferred",
		w: "1",
		retryWrites: "false",
	});
	expect(() => mongoUri({ ...parts, options: { tls: true } as object })).toThrow("tls");
	expect(() => mongoUri({ ...parts, options: { connectTimeoutMS: -1 } })).toThrow();
});

test("no character of a credential is left that a URI, a shell or YAML would read", () => {
	const nasty = `@:/%"' $!*()?#[]&+=é漢😀`;
	const uri = mongoUri({ ...parts, user: nasty, password: nasty.repeat(50) });
	expect(uri.slice("mongodb://".length).split("@")[0]).toMatch(/^[A-Za-z0-9_.~%-]+:[A-Za-z0-9_.~%-]+$/);
});

test(`drivers read back what went in (seed ${seed})`, () => {
	const text = fc.string({
		minLength: 1,
		maxLength: 1000,
		unit: fc.oneof(fc.constantFrom(...`@:/%"' $,\\`), fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 })),
	});
	fc.assert(
		fc.property(text, text, text, (user, password, authSource) => {
			const read = new ConnectionString(mongoUri({ ...parts, user, password, authSource, database: "accounts" }));
			expect(decodeURIComponent(read.username)).toBe(user);
			expect(decodeURIComponent(read.password)).toBe(password);
			expect(read.searchParams.get("authSource")).toBe(authSource);
			expect(read.pathname).toBe("/accounts");
			expect(read.hosts).toEqual(parts.hosts);
		}),
		{ seed, numRuns: 200 },
	);
});
