import { certificateArgumentsSchema, identitySchema } from "../../../runtime/tls/model.ts";
import { identity } from "../../support/certificates.ts";

const problems = (change: object) =>
	(identitySchema.safeParse({ ...identity(), ...change }).error?.issues ?? []).map(
		({ path, message }) => `${path.join(".")}: ${message}`,
	);

test("arguments have the defaults that the documentation says", () => {
	expect(certificateArgumentsSchema.parse({})).toEqual({ generation: 1, validityDays: 3650, epoch: "2026-01-01" });
});

test.each([
	["127.0.1.2", true],
	["fd00::1", true],
	["db-0.rs_0.svc.cluster.local", true],
	["localhost", true],
	["a".repeat(63), true],
	["fe80::1%eth0", false],
	["256.1.1.1", false],
	["1.2.3", false],
	["*.example", false],
	["a b", false],
	["[fd00::1]", false],
	["example.:443", false],
	["a".repeat(64), false],
	["", false],
])("a host is an address or a name: %s", (host, isOne) => {
	expect(problems({ hosts: [host] })).toEqual(isOne ? [] : ["hosts.0: use an IP address or a host name"]);
});

test("a passphrase that can be guessed is refused, without being said", () => {
	expect(problems({ passphrase: "fifteen letters" })).toEqual(["passphrase: use at least 16 characters"]);
	expect(problems({ former: { passphrase: "x", generation: 1 } })).toEqual([
		"former.passphrase: use at least 16 characters",
	]);
	expect(problems({ passphrase: "sixteen letters!" })).toEqual([]);
});

test.each([
	[{ generation: 2 }, "trusted: must include generation 2, which signs"],
	[{ trusted: [1, 1] }, "trusted: a generation is listed twice"],
	[{ hosts: [] }, /^hosts: /],
	[{ services: ["redis"] }, /^services.0: /],
	[{ services: ["client"] }, "users: name the users of the service client, and only then"],
	[{ users: ["replicator"] }, "users: name the users of the service client, and only then"],
	[{ services: ["client"], users: ["a", "a"] }, "users: a user is listed twice"],
	[{ services: ["client"], users: ["../a"] }, /^users.0: /],
	[{ epoch: "2026-02-30" }, /^epoch: /],
	[{ epoch: "1970-01-01" }, "epoch: use a date between 2000 and 2999"],
	[{ days: 0 }, /^days: /],
	[{ days: 36_501 }, /^days: /],
])("%j is refused by name", (change, message) => {
	const [first, ...more] = problems(change);
	expect([first, more]).toEqual([typeof message === "string" ? message : expect.stringMatching(message), []]);
});
