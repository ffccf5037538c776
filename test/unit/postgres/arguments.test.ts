import {
	adoptSchema,
	patroniArgumentsSchema,
	restPasswordSchema,
	systemPasswordSchema,
	systemRoleSchema,
} from "../../../runtime/postgres/arguments.ts";
import { patroniSettings } from "../../../runtime/postgres/settings.ts";

type Declared = Record<string, unknown>;
const settle = (declared: Declared = {}) => patroniSettings(patroniArgumentsSchema.parse(declared));
const refused = (declared: Declared): string => {
	const { error } = patroniArgumentsSchema.safeParse(declared);
	if (error) return error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ");
	try {
		settle(declared);
	} catch (error) {
		expect(error).toMatchObject({ code: "HF_SETTING" });
		return (error as Error).message;
	}
	throw new Error("was not refused");
};

test("nothing declared is three members of PostgreSQL 18 with quorum commit", () => {
	expect(settle()).toEqual({
		...{ name: "pg0", members: 3, version: 18, voters: 3, durability: "quorum", synchronousNodeCount: 1 },
		...{ profile: "lan", ttl: 30, loopWait: 10, retryTimeout: 9 },
		...{ memoryMB: 512, maxConnections: 100, parameters: {}, maxSlotWalKeepSizeMB: 1024, archiveCommand: "true" },
		...{ primaryStartTimeout: 60, primaryStopTimeout: 30, maximumLagOnFailover: 1_048_576 },
		...{ failsafe: true, checkTimeline: true, watchdog: "off" },
		...{ removeDataDirectoryOnRewindFailure: false, removeDataDirectoryOnDivergedTimelines: false },
		ports: { postgres: 5432, patroni: 8008, etcdClient: 2379, etcdPeer: 2380 },
		...{ superuser: "postgres", database: "postgres", replicationUser: "replicator", rewindUser: "rewind_user" },
	});
});

test("durability and voters follow the number of members, unless declared", () => {
	const found = [1, 2, 3, 4, 5, 10].map((members) => settle({ members }));
	expect(found.map(({ durability }) => durability)).toEqual(["async", "sync", "quorum", "quorum", "quorum", "quorum"]);
	expect(found.map(({ voters }) => voters)).toEqual([1, 1, 3, 3, 3, 3]);
	expect(settle({ members: 5, voters: 5, durability: "strict" })).toMatchObject({ voters: 5, durability: "strict" });
});

test.each([
	[{ voters: 2 }, "voters: voters is 1, 3 or 5: an even number"],
	[{ voters: 4 }, "an even number"],
	[{ members: 2, voters: 3 }, "voters is 3, but members is 2"],
	[{ members: 0 }, "members is at least 1"],
	[{ members: 11 }, "members is at most 10"],
	[{ version: 14 }, "version is 15 to 18"],
	[{ durability: "always" }, "durability is async, sync, quorum or strict"],
	[{ members: 1, durability: "strict" }, "durability is strict with members 1"],
	[{ synchronousNodeCount: 3 }, "synchronousNodeCount is 3, but members 3 leaves only 2 standbys"],
	...["'", '"', "$", "\\"].map((char): [Declared, string] => [
		{ superuser: `bo${char}ss` },
		"superuser: must not contain quotes, dollar signs or backslashes",
	]),
	[{ profile: "slow" }, "profile is lan, wan or fast"],
	[{ ttl: 19 }, "ttl is at least 20 s"],
	[{ loopWait: 0 }, "loopWait is at least 1 s"],
	[{ retryTimeout: 2 }, "retryTimeout is at least 3 s"],
	[{ ttl: 29 }, "ttl is 29 s, but loopWait 10 + 2 * retryTimeout 9 + 2 s of margin = 30"],
	[{ maxConnections: 24 }, "maxConnections is at least 25"],
	[{ ports: { postgres: 8008 } }, "ports.postgres and ports.patroni meet at port 8008 of slot 0"],
	[{ ports: { postgres: 2381, etcdPeer: 2382 } }, "ports.postgres and ports.etcdClient meet at port 2383 of slot 2"],
	[{ superuser: "replicator" }, 'superuser and replicationUser are both "replicator"'],
	[{ superuser: "pg_boss" }, "PostgreSQL's own"],
	[{ name: "x".repeat(61) }, "at most 60 characters"],
	[{ archiveCommand: "cp %p\n/x" }, "must be one line"],
	[{ memory: 1 }, "memory"],
])("%j is refused", (declared, message) => {
	expect(refused(declared)).toContain(message);
});

describe("parameters", () => {
	const parameters = (given: Declared) => settle({ parameters: given }).parameters;

	test("are spelled as PostgreSQL does, in one order", () => {
		expect(parameters({ Work_Mem: "8MB", jit: false, "auto_explain.log_min_duration": 250 })).toEqual({
			"auto_explain.log_min_duration": "250",
			jit: "off",
			work_mem: "8MB",
		});
		expect(Object.keys(parameters({ work_mem: 1, jit: true }))).toEqual(["jit", "work_mem"]);
	});

	test.each([
		[{ synchronous_standby_names: "*" }, "parameters.synchronous_standby_names cannot be set: Patroni sets it"],
		[{ FSYNC: "off" }, "parameters.fsync cannot be set: a crash would damage the data"],
		[{ max_connections: 5 }, "use maxConnections"],
		[{ archive_command: "x" }, "use archiveCommand"],
		[{ ssl: "on" }, "use tls"],
		[{ listen_addresses: "*" }, "follows from the member's address"],
		[{ log_directory: "/tmp" }, "follows from the member's folder"],
		[{ recovery_target_time: "now" }, "Patroni sets it"],
		[{ synchronous_commit: "local" }, "may only be on or remote_apply"],
		[{ wal_level: "minimal" }, "may only be replica or logical"],
		[{ jit: "on\nfsync = off" }, "a parameter is one line"],
		[{ "a b": 1 }, "is not the name of a parameter"],
		[{ jit: 1, JIT: 0 }, "given twice"],
	])("%j is refused", (given, message) => {
		expect(refused({ parameters: given })).toContain(message);
	});

	test("values that keep the promise are taken", () => {
		expect(parameters({ synchronous_commit: "remote_apply", wal_level: "logical" })).toEqual({
			synchronous_commit: "remote_apply",
			wal_level: "logical",
		});
	});
});

test("passwords of Patroni's roles take any characters but line breaks", () => {
	for (const password of [`$ ' " \\ \` :`, "é漢😀", "\t", " x ", "#*%s"])
		expect(systemPasswordSchema.parse(password)).toBe(password);
	for (const password of ["", "a\nb", "a\r", "a\0b", "\ud800"])
		expect(systemPasswordSchema.safeParse(password).success).toBe(false);
	expect(systemPasswordSchema.safeParse("a\nb").error?.message).toContain("pgpass");
});

test("the REST API's password is ASCII, and an identifier to adopt is a number", () => {
	expect(restPasswordSchema.safeParse("a:b'\"\\$`").success).toBe(true);
	for (const password of ["é", "a b", ""]) expect(restPasswordSchema.safeParse(password).success).toBe(false);
	expect(adoptSchema.safeParse({ systemIdentifier: "7710641592165422093" }).success).toBe(true);
	for (const systemIdentifier of ["", "abc", "0", "1".repeat(21)])
		expect(adoptSchema.safeParse({ systemIdentifier }).success).toBe(false);
});

test("names of Patroni's roles fit PostgreSQL and pg_hba.conf", () => {
	for (const name of ["a b", 'x"y', "all", "+x", "é".repeat(31)]) expect(systemRoleSchema.parse(name)).toBe(name);
	for (const name of ["", "/x", "a\nb", "é".repeat(32), "pg_x"])
		expect(systemRoleSchema.safeParse(name).success).toBe(false);
});
