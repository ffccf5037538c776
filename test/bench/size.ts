import { TestStack } from "../support/stack.ts";
import { pulumiUp } from "./pulumi.ts";
import { timed } from "./stats.ts";

/** How the cost of an `up` grows with the number of members. */
export async function size(): Promise<void> {
	console.log("\n## How cost grows with the number of members\n");
	console.log("| members | first up | against 1 member | up with no changes |\n| --- | --- | --- | --- |");
	let one = Number.NaN;
	for (const members of [1, 3, 5, 7]) {
		const stack = await TestStack.create("bench", { members, users: {} });
		process.env.HOLDFAST_HOME = stack.home;
		await stack.must("preview");
		const first = await timed(() => pulumiUp(stack));
		const again = await timed(() => pulumiUp(stack));
		await stack.destroy();
		if (members === 1) one = first;
		const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
		console.log(`| ${members} | ${seconds(first)} | ${(first / one).toFixed(2)} | ${seconds(again)} |`);
	}
}
