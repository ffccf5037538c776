import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { HoldfastError } from "../../../runtime/errors.ts";
import type { Host } from "../../../runtime/platform/host.ts";
import { ACL_FILE, type AclHashes, aclText, parseAcl } from "../../../runtime/redis/aclFile.ts";
import type { RedisClusterInputs } from "../../../runtime/redis/clusterArguments.ts";
import type { RedisRecord } from "../../../runtime/redis/clusterRecord.ts";
import { API_KEY_FILE, PASSWORD_FILE } from "../../../runtime/redis/managerConf.ts";
import { apiKeys, giveSecrets, passwordText } from "../../../runtime/redis/managerSecrets.ts";
import { admitUsers, dropUsers } from "../../../runtime/redis/users.ts";
import type { Work } from "../../../runtime/redis/work.ts";
import { sha256 } from "../../../runtime/sha256.ts";

class Killed extends Error {}

const address = (port: number) => ({ host: "127.0.0.1", port });
const nodes = [0, 1, 2].map((slot) => ({ name: `r-${slot}`, address: address(6379 + slot) }));
const managers = [0, 1].map((slot) => ({ name: `m-${slot}`, address: address(3000 + slot) }));
const refused = () => new HoldfastError("HF_CREDENTIALS", "refused");

/** Nodes that know the users they last read, managers that take their files up when time passes. */
class Simulated {
	readonly files = new Map<string, string>();
	readonly loaded = new Map<string, AclHashes>();
	readonly taken = new Map<string, { password: string; keys: string[] }>();
	readonly lockedOut: string[] = [];
	restarts = 0;
	/** Steps until the run is killed. */
	left = Number.POSITIVE_INFINITY;

	constructor(password: string, admin: string, key: string) {
		const users = { node: [sha256(password)], admin: [sha256(admin)] };
		for (const { name } of nodes) {
			this.files.set(`${name}/${ACL_FILE}`, aclText(users));
			this.loaded.set(name, users);
		}
		for (const { name } of managers) {
			this.files.set(`${name}/${API_KEY_FILE}`, `${key}\n`);
			this.files.set(`${name}/${PASSWORD_FILE}`, `${password}\n`);
		}
		this.pass();
	}

	/** Time in which managers look at their files. */
	pass(): void {
		for (const { name } of managers) {
			const [keys, password] = [API_KEY_FILE, PASSWORD_FILE].map((file) => this.files.get(`${name}/${file}`)!.trim());
			this.taken.set(name, { password: password!, keys: keys!.split(",") });
		}
	}

	/** One step of a run: it may be the last. */
	step(): void {
		if (this.left-- <= 0) throw new Killed();
		for (const { name } of managers)
			for (const node of nodes) if (!this.lets(name, node.name)) this.lockedOut.push(`${name} by ${node.name}`);
	}

	lets(manager: string, node: string): boolean {
		return this.loaded.get(node)!.node.includes(sha256(this.taken.get(manager)!.password));
	}

	read(node: string): void {
		this.loaded.set(node, parseAcl(this.files.get(`${node}/${ACL_FILE}`)!));
	}

	readonly host = {
		read: async (member, file) => this.files.get(`${member}/${file}`),
		write: async (member, file, text) => {
			this.step();
			this.files.set(`${member}/${file}`, text);
			this.step();
		},
		restart: async (member) => {
			this.step();
			this.restarts++;
			this.read(member);
			this.step();
		},
	} as Partial<Host> as Host;
}

let world: Simulated;
jest.mock("../../../runtime/redis/nodeAdmin.ts", () => ({
	async loadUsers({ name }: { name: string }, password: string) {
		world.step();
		if (!world.loaded.get(name)!.admin.includes(sha256(password))) throw refused();
		world.read(name);
		world.step();
	},
	acceptsManagers: async ({ name }: { name: string }, password: string) =>
		world.loaded.get(name)!.node.includes(sha256(password)),
}));
jest.mock("../../../runtime/redis/managerRest.ts", () => ({
	async nodesOf({ name }: { name: string }, key: string) {
		if (!world.taken.get(name)!.keys.includes(key)) throw refused();
		return nodes.map((node) => ({
			node: `${node.address.host}:${node.address.port}`,
			state: world.lets(name, node.name) ? "ready" : "unreachable",
		}));
	},
}));

let home: string;
beforeAll(() => {
	home = mkdtempSync(join(tmpdir(), "holdfast-rotation-"));
	process.env.HOLDFAST_HOME = home;
	jest.spyOn(console, "log").mockImplementation(() => {});
});
afterAll(() => {
	rmSync(home, { recursive: true });
	delete process.env.HOLDFAST_HOME;
	jest.restoreAllMocks();
});

const access = { stack: "s", cluster: "r" };
const wanted = { nodePassword: "new password", adminPassword: "new admin", apiKey: "new key" };
const inputs: RedisClusterInputs = {
	...{ access, host: { kind: "local", stack: "s" }, nodes, managers, appendfsync: "everysec", configuration: "c" },
	...wanted,
};

/** One run, as far as it gets; `record` is what was noted by earlier ones. */
async function run(record: RedisRecord): Promise<void> {
	const deadline = { pause: async () => world.pass() } as unknown as Work["deadline"];
	const work: Work = { access, record, host: world.host, deadline };
	await admitUsers(work, inputs);
	await giveSecrets(work, inputs);
	await dropUsers(work, inputs);
}

const recordOf = (previousAdminPassword?: string): RedisRecord => ({
	...{ system: "redis", nodes, managers, apiKey: wanted.apiKey, previousApiKey: "old key" },
	...{ adminPassword: wanted.adminPassword, ...(previousAdminPassword ? { previousAdminPassword } : {}) },
});

function expectRotated(record: RedisRecord): void {
	const users = { node: [sha256(wanted.nodePassword)], admin: [sha256(wanted.adminPassword)] };
	for (const { name } of nodes) {
		expect(parseAcl(world.files.get(`${name}/${ACL_FILE}`)!)).toEqual(users);
		expect(world.loaded.get(name)).toEqual(users);
	}
	for (const { name } of managers) {
		expect(world.files.get(`${name}/${PASSWORD_FILE}`)).toBe(passwordText(wanted.nodePassword));
		expect(world.files.get(`${name}/${API_KEY_FILE}`)).toBe(apiKeys(record));
	}
	expect([record.changingUsers, record.previousAdminPassword]).toEqual([undefined, undefined]);
}

test("nobody is locked out at any time, wherever a run is killed, and in the end the new passwords count alone", async () => {
	await fc.assert(
		fc.asyncProperty(fc.boolean(), fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 5 }), async (key, kills) => {
			world = new Simulated("old password", "old admin", key ? "old key" : "new key,old key");
			const record = recordOf("old admin");
			for (const left of kills) {
				world.left = left;
				await run(record).catch((error) => expect(error).toBeInstanceOf(Killed));
			}
			world.left = Number.POSITIVE_INFINITY;
			await run(record);
			expect(world.lockedOut).toEqual([]);
			expect(world.restarts).toBe(0);
			expectRotated(record);
		}),
	);
});

test("a node whose administrator nobody knows reads its users by a restart, and nobody is locked out", async () => {
	world = new Simulated("old password", "an admin that nobody knows", "old key");
	const record = recordOf();
	await run(record);
	expect(world.lockedOut).toEqual([]);
	expect(world.restarts).toBe(3);
	expectRotated(record);
});

test("with nothing to change nothing is written", async () => {
	world = new Simulated(wanted.nodePassword, wanted.adminPassword, "new key,old key");
	world.left = 0;
	await run(recordOf());
});
