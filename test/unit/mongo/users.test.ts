import fc from "fast-check";
import { isBuiltin, unknownRoles } from "../../../runtime/mongo/builtinRoles.ts";
import {
	declaredPrivileges,
	type FoundRole,
	type FoundUser,
	ownerOf,
	ownerOfRole,
	ownerOfUser,
	planRemoval,
	planRole,
	planUser,
} from "../../../runtime/mongo/users.ts";

const seed = Number(process.env.HOLDFAST_SEED) || Date.now() % 2 ** 31;
const owner = ownerOf({ stack: "local", cluster: "mongo" }, "users", "dyff");
const ours = { holdfast: { owner, v: 1 } };
const workflows = { role: "readWrite", db: "workflows" };
const accounts = { role: "readWrite", db: "accounts" };
const user = {
	database: "users",
	user: "dyff",
	roles: [workflows, accounts],
	owner,
	adopt: false,
	passwordWorks: true,
};

describe("users", () => {
	test("are created with roles and ledger in one command", () => {
		expect(owner).toBe("local/mongo/users/dyff");
		expect(planUser(undefined, { ...user, passwordWorks: false })).toEqual({
			kind: "create",
			roles: [workflows, accounts],
			customData: ours,
		});
	});

	test("that are as declared need nothing, in whatever order", () => {
		expect(planUser({ roles: [accounts, workflows], customData: ours }, user)).toEqual({ kind: "nothing" });
	});

	test("get exactly their roles, and a new password only if the old one fails", () => {
		const other = { role: "root", db: "admin" };
		const wanted = { kind: "update", roles: user.roles };
		expect(planUser({ roles: [workflows], customData: ours }, user)).toEqual(wanted);
		expect(planUser({ roles: [workflows, accounts, other], customData: ours }, user)).toEqual(wanted);
		expect(planUser({ roles: [workflows, { ...accounts, db: "workflows" }], customData: ours }, user)).toEqual(wanted);
		expect(planUser({ roles: user.roles, customData: ours }, { ...user, passwordWorks: false })).toEqual({
			kind: "update",
			password: true,
		});
	});

	test("of somebody else are refused, or adopted with their other customData kept", () => {
		const theirs = [
			undefined,
			{ team: "x" },
			{ holdfast: "yes" },
			{ holdfast: { owner: "other/mongo/users/dyff", v: 1 } },
		];
		for (const customData of theirs) {
			const found: FoundUser = { roles: user.roles, customData };
			expect(planUser(found, user)).toMatchObject({
				kind: "refuse",
				code: "HF_FOREIGN",
				why: expect.stringContaining("user dyff in users"),
			});
			expect(planUser(found, { ...user, adopt: true })).toEqual({
				kind: "update",
				customData: { ...customData, ...ours },
			});
		}
	});
});

describe("roles", () => {
	const find = { resource: { db: "app", collection: "" }, actions: ["find", "insert"] };
	const role = {
		database: "app",
		role: "writer",
		privileges: [find],
		roles: [{ role: "read", db: "app" }],
		owner: "local/mongo/app/w $é",
		adopt: false,
	};
	const created = planRole(undefined, role) as FoundRole & { kind: string };

	test("carry their owner as a privilege on a collection that cannot exist", () => {
		expect(created.kind).toBe("create");
		expect(ownerOfRole(created)).toBe(role.owner);
		expect(declaredPrivileges(created)).toEqual([find]);
		const mark = created.privileges.find((privilege) => privilege !== find)!.resource as {
			db: string;
			collection: string;
		};
		// "$" is refused in collection names; a role outside admin takes only its own database.
		expect(mark.collection).toMatch(/^system\.holdfast\.[^$/]+$/);
		expect(mark.db).toBe("app");
	});

	test("that are as declared need nothing, however the server orders or merges privileges", () => {
		const split = {
			roles: role.roles,
			privileges: [...created.privileges]
				.reverse()
				.flatMap(({ resource, actions }) => actions.map((action) => ({ resource, actions: [action] }))),
		};
		expect(planRole(split, role)).toEqual({ kind: "nothing" });
	});

	test("get exactly their privileges and roles", () => {
		const more = { ...role, privileges: [{ ...find, actions: ["find"] }] };
		expect(planRole(created, more)).toEqual({
			kind: "update",
			privileges: [more.privileges[0], created.privileges[1]],
		});
		expect(planRole(created, { ...role, roles: [] })).toEqual({ kind: "update", roles: [] });
	});

	test("of somebody else are refused, or adopted", () => {
		for (const privileges of [[], [find], [{ ...find, resource: { db: "app", collection: "system.holdfast.%zz" } }]]) {
			expect(planRole({ privileges, roles: role.roles }, role)).toMatchObject({ kind: "refuse", code: "HF_FOREIGN" });
			expect(planRole({ privileges, roles: role.roles }, { ...role, adopt: true })).toEqual({
				kind: "update",
				privileges: created.privileges,
			});
		}
	});

	test("of MongoDB itself are known by database; internal ones are not for anybody", () => {
		for (const grant of [
			{ role: "dbOwner", db: "x" },
			{ role: "root", db: "admin" },
			{ role: "read", db: "local" },
		])
			expect(isBuiltin(grant)).toBe(true);
		const declared = [{ role: "writer", db: "app" }];
		const unknown = [
			{ role: "root", db: "app" },
			{ role: "writer", db: "other" },
			{ role: "__system", db: "admin" },
			{ role: "Read", db: "app" },
		];
		expect(unknownRoles([...unknown, ...declared, { role: "read", db: "app" }], declared)).toEqual(unknown);
	});
});

test("only what the ledger owns is dropped", () => {
	expect(planRemoval("user dyff", false, undefined, owner)).toEqual({ kind: "nothing" });
	expect(planRemoval("user dyff", true, owner, owner)).toEqual({ kind: "drop" });
	expect(planRemoval("user dyff", true, undefined, owner)).toMatchObject({
		kind: "leave",
		why: expect.stringContaining("somebody else"),
	});
	expect(planRemoval("user dyff", true, "other/mongo/users/dyff", owner)).toMatchObject({ kind: "leave" });
});

test(`one step is enough: after it nothing is left to do (seed ${seed})`, () => {
	const grant = fc.record({ role: fc.constantFrom("read", "readWrite", "dbOwner"), db: fc.constantFrom("a", "b") });
	const grants = fc.uniqueArray(grant, { selector: ({ role, db }) => `${db}.${role}` });
	const found = fc.option(
		fc.record({ roles: grants, customData: fc.constantFrom({}, ours, { ...ours, team: "x" }, undefined) }),
		{ nil: undefined },
	);
	fc.assert(
		fc.property(found, grants, fc.boolean(), (before, roles, passwordWorks) => {
			const desired = { ...user, roles, passwordWorks, adopt: true };
			const step = planUser(before as FoundUser | undefined, desired);
			const after = {
				roles: [],
				...before,
				...(step.kind === "create" || step.kind === "update" ? JSON.parse(JSON.stringify(step)) : {}),
			};
			expect(planUser(after, { ...desired, passwordWorks: true })).toEqual({ kind: "nothing" });
			expect(ownerOfUser(after)).toBe(owner);
		}),
		{ seed, numRuns: 300 },
	);
});
