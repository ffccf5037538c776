import { existsSync } from "node:fs";
import { adminUri, withMongo } from "../support/mongo.ts";
import { TestStack } from "../support/stack.ts";
import { expectNothingLost, startWriters } from "../support/writers.ts";

jest.setTimeout(400_000);
afterAll(() => TestStack.destroyAll());

test("scaling 3 -> 5 -> 3 -> 1 -> 3 under writes keeps the data and the lowest slots", async () => {
	const stack = await TestStack.create("scale", {});
	await stack.must("up");
	const hosts = (count: number) => [...Array(count).keys()].map((slot) => `127.0.0.1:${stack.basePort + slot}`);
	const writers = await startWriters(stack.record(), "scale");
	for (const members of [5, 3, 1, 3]) {
		stack.configure({ members });
		await stack.must("up");
		const { members: found } = await withMongo(
			adminUri(stack.record()),
			async (client) => (await client.db("admin").command({ replSetGetConfig: 1 })).config,
		);
		expect(found.map((m: { host: string }) => m.host).sort()).toEqual(hosts(members));
		expect([3, 4].some((slot) => slot >= members && existsSync(stack.member(slot)))).toBe(false);
	}
	await expectNothingLost(writers, stack.record(), "scale");
	expect(await stack.changes()).toEqual({ same: expect.any(Number) });
});
