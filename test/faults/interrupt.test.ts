import { setTimeout as sleep } from "node:timers/promises";
import type { Failpoint } from "../../runtime/failpoint.ts";
import { commandOf, killUp, upTo } from "../support/interrupted.ts";
import { long } from "../support/long.ts";
import { withMongo } from "../support/mongo.ts";
import { TestStack } from "../support/stack.ts";

jest.setTimeout(600_000);

afterAll(() => TestStack.destroyAll());

const users = { app: { database: "users", roles: [{ role: "readWrite", db: "workflows" }] } };

const UP_MS = 90_000;

async function converged(stack: TestStack, members: number): Promise<void> {
	const { stdout } = await stack.must("up");
	expect(stdout).toContain(`whole: ${members} member(s)`);
	expect(await stack.changes()).toEqual({ same: expect.any(Number) });
	const { stdout: state } = await stack.pulumi("stack", "export");
	expect(JSON.parse(state).deployment.pending_operations ?? []).toEqual([]);
	await withMongo(await stack.uri("app"), (client) => client.db("workflows").collection("x").insertOne({}));
}

const first: Failpoint[] = [
	"mongo/initiated",
	...(long ? (["mongo/initiating", "mongo/admin", "mongo/reconfigured"] as const) : []),
];

test.each(first)("up killed at %s of the first build goes on with the next up", async (failpoint) => {
	const stack = await TestStack.create("kill", { users });
	const child = await upTo(stack, failpoint, UP_MS);
	const [provider] = await killUp(child);
	expect(commandOf(provider!)).toContain("dynamic-provider");
	const ids = await idsOf(stack);
	await converged(stack, 3);
	expect(commandOf(provider!)).toBe("");
	// Never initiated a second time.
	if (ids !== undefined) expect(stack.record().replicaSetId).toBe(ids);
	await stack.destroy();
});

/** Id that the seed has before the next run: read over the key file, as the runtime would. */
async function idsOf(stack: TestStack): Promise<string | undefined> {
	const { keys } = stack.record();
	const uri = `mongodb://__system:${encodeURIComponent(keys[0]!)}@127.0.0.1:${stack.basePort}/?authSource=local&authMechanism=SCRAM-SHA-256&directConnection=true`;
	return withMongo(uri, async (client) => {
		try {
			const { config } = await client.db("admin").command({ replSetGetConfig: 1 });
			return String(config.settings.replicaSetId);
		} catch {
			return undefined;
		}
	});
}

test("up killed in the middle of a scale and of a roll goes on with the next up; Ctrl-C and a second up are clean", async () => {
	const stack = await TestStack.create("mid", { users });
	await stack.must("up");
	const { replicaSetId } = stack.record();

	stack.configure({ members: 5 });
	await killUp(await upTo(stack, "mongo/reconfigured", UP_MS));
	await converged(stack, 5);

	stack.configure({ members: 3, cacheSizeGB: 0.3 });
	const child = await upTo(stack, "mongo/restarting", UP_MS);

	// While it hangs there, another up must not start, and must say who is at work.
	const second = await stack.holdfast("up");
	expect([second.code, second.stderr]).toEqual([8, expect.stringMatching(/HF_LOCKED.*process \d+/)]);
	await killUp(child);
	await converged(stack, 3);

	stack.configure({ cacheSizeGB: 0.35 });
	const interrupted = stack.start({}, "up");
	let said = "";
	interrupted.stdout!.on("data", (chunk) => {
		said += chunk;
	});
	interrupted.stderr!.on("data", (chunk) => {
		said += chunk;
	});
	while (!said.includes("updating")) await sleep(50);
	process.kill(-interrupted.pid!, "SIGINT");
	await new Promise((resolve) => interrupted.once("close", resolve));
	await converged(stack, 3);
	expect(stack.record().replicaSetId).toBe(replicaSetId);
	await stack.destroy();
});
