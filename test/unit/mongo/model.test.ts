import {
	replicaSetArgumentsSchema,
	replicaSetSchema,
	retireSchema,
	roleSchema,
	userSchema,
} from "../../../runtime/mongo/model.ts";

const access = { stack: "local", cluster: "mongo" };
const member = { host: "127.0.0.1:27017", member: "mongo-0", votes: 1, priority: 1, hidden: false, arbiterOnly: false };
const set = {
	access,
	host: { kind: "local", stack: "local" },
	name: "rs0",
	members: [member],
	settings: { electionTimeoutMillis: 10_000 },
	mongod: {},
	admin: { password: "p" },
	keyfile: "abcdef",
};
const user = {
	access,
	database: "users",
	user: `@:/%"' $é`,
	password: "x".repeat(1000),
	roles: [{ role: "read", db: "app" }],
	adopt: false,
};
const role = { access, database: "app", role: "writer", privileges: [], roles: [], adopt: false };

/** Paths and messages of what is wrong, as the operator sees them. */
const problems = (
	schema:
		| typeof userSchema
		| typeof replicaSetSchema
		| typeof replicaSetArgumentsSchema
		| typeof roleSchema
		| typeof retireSchema,
	value: unknown,
) => (schema.safeParse(value).error?.issues ?? []).map(({ path, message }) => `${path.join(".")}: ${message}`);

test("arguments have defaults that fit several members on one machine", () => {
	expect(replicaSetArgumentsSchema.parse({})).toEqual({
		name: "rs0",
		members: 3,
		electionTimeoutMillis: 10_000,
		cacheSizeGB: 0.25,
		oplogSizeMB: 990,
		overrides: {},
		adminUser: "admin",
	});
	expect(replicaSetArgumentsSchema.parse({ defaultWriteConcern: {} }).defaultWriteConcern).toEqual({
		w: "majority",
		wtimeout: 20_000,
	});
});

test("arguments that MongoDB cannot take are refused by name", () => {
	const refused = {
		name: "",
		members: 51,
		electionTimeoutMillis: 0,
		cacheSizeGB: 0.1,
		oplogSizeMB: 500,
		arbiter: [1, 2],
		overrides: { one: { priority: 2 } },
		adminUser: "",
		featureCompatibilityVersion: "6",
		replicas: 3,
	};
	for (const [key, value] of Object.entries(refused))
		expect(problems(replicaSetArgumentsSchema, { [key]: value }).join()).toContain(key);
	expect(problems(replicaSetArgumentsSchema, { arbiter: [1, 2] })).toEqual([
		'arbiter: at most one arbiter: a slot number, or "last"',
	]);
	expect(problems(replicaSetArgumentsSchema, { overrides: { 1: { priority: 1001 } } }).join()).toContain(
		"overrides.1.priority",
	);
});

test("a replica set's inputs are checked as a whole", () => {
	expect(replicaSetSchema.parse(set)).toMatchObject({
		admin: { user: "admin" },
		mongod: { cacheSizeGB: 0.25 },
	});
	const eight = Array.from({ length: 8 }, (_, i) => ({ ...member, host: `h:${i + 1}` }));
	expect(problems(replicaSetSchema, { ...set, members: eight }).join()).toContain("members: 8 of 8 members vote");
	expect(problems(replicaSetSchema, { ...set, members: [member, member] }).join()).toContain(
		"two members have the address 127.0.0.1:27017",
	);
	const arbiters = [member, ...["b:1", "c:1"].map((host) => ({ ...member, host, priority: 0, arbiterOnly: true }))];
	expect(problems(replicaSetSchema, { ...set, members: arbiters }).join()).toContain("more than one arbiter");
	expect(problems(replicaSetSchema, { ...set, members: [] }).join()).toContain("members");
	expect(
		problems(replicaSetSchema, { ...set, adopt: { replicaSetId: "x", admin: { user: "a", password: "b" } } }).join(),
	).toContain("adopt.replicaSetId");
	expect(problems(replicaSetSchema, { ...set, force: true }).join()).toContain("force");
	for (const host of ["", "a", "a:", "a:b", "a b:1", "u@a:1", "fd00::1:27017"]) {
		expect(problems(replicaSetSchema, { ...set, members: [{ ...member, host }] }).join()).toContain("use host:port");
	}
	expect(problems(replicaSetSchema, { ...set, members: [{ ...member, host: "[fd00::1]:27017" }] })).toEqual([]);
	expect(problems(retireSchema, { access, keep: [] }).join()).toContain("keep");
});

test("users take any name and password that is text, and each role once", () => {
	expect(userSchema.parse(user)).toEqual(user);
	for (const key of ["user", "password", "database"]) {
		for (const value of ["", "a\u0000b"]) expect(problems(userSchema, { ...user, [key]: value }).join()).toContain(key);
	}
	expect(problems(userSchema, { ...user, password: "\ud800" })).toEqual(["password: must be well-formed Unicode"]);
	expect(problems(userSchema, { ...user, database: "a.b" }).join()).toContain("database");
	expect(problems(userSchema, { ...user, roles: [...user.roles, ...user.roles] })).toEqual([
		"roles: role read on app is listed twice",
	]);
	expect(problems(userSchema, { ...user, roles: [{ role: "", db: "app" }] }).join()).toContain("roles.0.role");
});

test("no message repeats a secret", () => {
	const secret = "hunter2\u0000";
	expect(problems(userSchema, { ...user, password: secret }).join()).not.toContain("hunter2");
	expect(
		problems(replicaSetSchema, { ...set, keyfile: "hunter2 $", admin: { password: secret } }).join(),
	).not.toContain("hunter2");
});

test("roles name resources and actions", () => {
	const privileges = [
		{ resource: { db: "app", collection: "" }, actions: ["find"] },
		{ resource: { cluster: true }, actions: ["serverStatus"] },
	];
	expect(roleSchema.parse({ ...role, privileges })).toMatchObject({ privileges });
	expect(
		problems(roleSchema, { ...role, privileges: [{ resource: { db: "app" }, actions: ["find"] }] }).join(),
	).toContain("a resource is");
	expect(
		problems(roleSchema, { ...role, privileges: [{ resource: { cluster: true }, actions: [] }] }).join(),
	).toContain("actions");
});
