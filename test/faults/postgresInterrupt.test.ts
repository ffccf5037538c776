import { killedAt } from "../support/interrupted.ts";
import { long } from "../support/long.ts";
import { converged, identifierOf, recordOf } from "../support/postgresConverged.ts";
import { TestStack } from "../support/stack.ts";

jest.setTimeout(1_200_000);

afterAll(() => TestStack.destroyAll());

test("up killed in the first build, and while etcd grows: one database, one etcd", async () => {
	const stack = await TestStack.createPostgres("pgkill", { members: 1 });
	await killedAt(stack, "postgres/initiating");
	const { token, clusterId } = recordOf(stack).etcd!;
	await killedAt(stack, "postgres/initiated");
	const id = await identifierOf(stack, 0);
	expect(await converged(stack, 1, 1)).toBe(id);
	if (long) {
		// A killed run's lock in etcd ends after a minute.
		stack.configurePostgres({ members: 3 });
		await killedAt(stack, "etcd/added", "etcd/started");
		expect(await converged(stack, 3, 3)).toBe(id);
	}
	expect(recordOf(stack).etcd).toMatchObject({ token, clusterId });
	await stack.destroy();
});
