import { MongoReplicaSet } from "../../components/mongo/replicaSet.ts";
import { MongoRole } from "../../components/mongo/role.ts";
import { MongoUser, type MongoUserArgs } from "../../components/mongo/user.ts";
import { ExistingPlatform } from "../../components/platform/existing.ts";
import { known, only, underMocks } from "../support/mocks.ts";

const USER = "pulumi-nodejs:dynamic/mongo:User";
const ROLE = "pulumi-nodejs:dynamic/mongo:Role";
const SECRET = "pulumi-nodejs:dynamic/secret:Secret";
const roles = [{ role: "read", db: "workflows" }];

const set = () => {
	const platform = new ExistingPlatform([
		{ host: "10.0.0.1", port: 27_017 },
		{ host: "fd00::2", port: 27_018 },
		{ host: "c", port: 27_019 },
	]);
	return new MongoReplicaSet("main", { stack: "demo", platform, name: "rs0" });
};
const user = (name: string, args: Partial<MongoUserArgs> = {}) =>
	underMocks(() => new MongoUser(name, { replicaSet: set(), roles, ...args }));

test("makes a password and a user that waits for the set and is deleted with it", async () => {
	const { resources } = await user("app");
	const made = only(resources, USER, "app");
	expect(made.inputs).toMatchObject({
		access: { stack: "demo", cluster: "main" },
		database: "admin",
		user: "app",
		password: "value+of/main/user/app",
		roles,
		generation: 1,
		adopt: false,
	});
	expect([made.secrets, made.deletedWith, made.protect, made.parent]).toEqual([["password"], "main", false, "app"]);
	expect(made.after).toEqual(expect.arrayContaining(["main", "main-user-app"]));
	expect(only(resources, SECRET, "main-user-app").parent).toBe("app");
});

test("user name and password are percent-encoded, authSource follows the database, and the whole is secret", async () => {
	const password = "@:/%\"' $?#&=+ü)(*!";
	const { result } = await user("o'dd @:/%$ ü", { database: "users", password: { kind: "given", value: password } });
	const { value, secret } = await known(result.uri);
	expect(secret).toBe(true);
	const [, name, pass, hosts, query] = /^mongodb:\/\/([^:@/]+):([^:@/]+)@([^/]+)\/\?(.*)$/.exec(value)!;
	expect([decodeURIComponent(name!), decodeURIComponent(pass!)]).toEqual(["o'dd @:/%$ ü", password]);
	expect(`${name}${pass}`).toMatch(/^[A-Za-z0-9%._~-]+$/);
	expect(hosts).toBe("10.0.0.1:27017,[fd00::2]:27018,c:27019");
	expect(Object.fromEntries(new URLSearchParams(query))).toEqual({
		replicaSet: "rs0",
		authSource: "users",
		w: "majority",
		retryWrites: "true",
		retryReads: "true",
		readPreference: "primary",
		connectTimeoutMS: "5000",
		socketTimeoutMS: "30000",
		serverSelectionTimeoutMS: "30000",
	});
	expect((await known(result.password)).secret).toBe(true);
});

test("the connection's options and default database go into the connection string, not into the user", async () => {
	const { result, resources } = await user("app", {
		connection: { readPreference: "nearest", socketTimeoutMS: 0 },
		defaultDatabase: "work flows",
	});
	const { value } = await known(result.uri);
	expect(value).toContain("/work%20flows?");
	expect(value).toContain("readPreference=nearest");
	expect(value).toContain("socketTimeoutMS=0");
	expect(Object.keys(only(resources, USER, "app").inputs).sort()).toEqual(
		["__provider", "access", "adopt", "database", "generation", "password", "roles", "user"].sort(),
	);
});

test("a rotation shows as a generation; a given password has none", async () => {
	const rotated = await user("app", { password: { kind: "generated", generation: 4 } });
	expect(only(rotated.resources, USER, "app").inputs.generation).toBe(4);
	expect(only(rotated.resources, SECRET, "main-user-app").inputs.source).toMatchObject({ generation: 4 });
	const given = await user("app", { password: { kind: "given", value: "secret-pw" } });
	expect("generation" in only(given.resources, USER, "app").inputs).toBe(false);
	expect(only(given.resources, SECRET, "main-user-app").inputs.source).toEqual({ kind: "given", value: "secret-pw" });
});

test("a role belongs to the set, and users that depend on it wait for it", async () => {
	const { resources } = await underMocks(() => {
		const replicaSet = set();
		const privileges = [{ resource: { db: "workflows", collection: "" }, actions: ["find"] }];
		const role = new MongoRole("auditor", { replicaSet, database: "workflows", privileges });
		return new MongoUser("app", { replicaSet, roles: [{ role: "auditor", db: "workflows" }] }, { dependsOn: role });
	});
	const role = only(resources, ROLE, "auditor");
	expect(role.inputs).toMatchObject({ database: "workflows", role: "auditor", roles: [], adopt: false });
	expect([role.parent, role.deletedWith, role.after.includes("main")]).toEqual(["main", "main", true]);
	expect(only(resources, USER, "app").after).toContain("auditor");
});
