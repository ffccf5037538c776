import { setTimeout as sleep } from "node:timers/promises";
import { atOnce } from "../../../runtime/migrate/objects/atOnce.ts";

test("results come in order, of so many at once", async () => {
	let [now, most] = [0, 0];
	const results = await atOnce([5, 4, 3, 2, 1], 2, async (item) => {
		most = Math.max(most, ++now);
		await sleep(item);
		now--;
		return item * 2;
	});
	expect(results).toEqual([10, 8, 6, 4, 2]);
	expect(most).toBe(2);
});

test("a failure waits for those under way, and lets no other begin", async () => {
	const begun: number[] = [];
	const ended: number[] = [];
	const work = async (item: number) => {
		begun.push(item);
		if (item === 1) throw new Error("the first");
		await sleep(20);
		ended.push(item);
		throw new Error("a later one");
	};
	await expect(atOnce([0, 1, 2, 3], 2, work)).rejects.toThrow("the first");
	expect(begun).toEqual([0, 1]);
	expect(ended).toEqual([0]);
});
