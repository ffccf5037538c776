import { killedAt } from "../support/interrupted.ts";
import { converged, loginOf, recordOf } from "../support/postgresConverged.ts";
import { connectTo, writable } from "../support/postgresWriters.ts";
import { TestStack } from "../support/stack.ts";

jest.setTimeout(1_200_000);

afterAll(() => TestStack.destroyAll());

test("up killed while it changes passwords, reloads, restarts and takes a leader out: the next one finishes", async () => {
	const stack = await TestStack.createPostgres("pgmid", { members: 2 });
	await stack.must("up");
	const id = recordOf(stack).systemIdentifier;
	const former = loginOf(stack);

	stack.configurePostgres({ superuserGeneration: 2, maxConnections: 90 });
	await killedAt(stack, "postgres/passwords", "postgres/reloading", "postgres/rolling");
	expect(await converged(stack, 2, 1)).toBe(id);
	await expect(connectTo(recordOf(stack).hosts[0]!, former)).rejects.toThrow(/password/);
	const client = await writable(recordOf(stack).hosts, loginOf(stack));
	expect((await client.query("SHOW max_connections")).rows).toEqual([{ max_connections: "90" }]);
	await client.end();

	await stack.must("switchover", "pg0", "pg0-1");
	stack.configurePostgres({ members: 1 });
	await killedAt(stack, "postgres/retiring");
	expect(await converged(stack, 1, 1)).toBe(id);
	await stack.destroy();
});
