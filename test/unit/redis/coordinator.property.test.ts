import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { HybridClock } from "../../../runtime/redis/clock.ts";
import { Coordinator } from "../../../runtime/redis/coordinator.ts";
import { majority } from "../../../runtime/redis/majority.ts";
import { stampOf } from "../../../runtime/redis/record.ts";
import { type Stamp, stampLength } from "../../../runtime/redis/stamp.ts";
import type { WriteOutcome } from "../../../runtime/redis/store.ts";
import { type FakeNode, type Fate, fakeNodes } from "../../support/fakeNode.ts";
import { seeded } from "../../support/long.ts";

const seed = Math.floor(seeded("redis coordinator")() * 2 ** 31);
const KEYS = ["a", "b"];

const fate = fc.oneof(
	{ weight: 6, arbitrary: fc.constant<Fate>("ok") },
	fc.constantFrom<Fate[]>("failed", "requestLost", "replyLost", "effectLate"),
);
const operation = fc.record({
	kind: fc.constantFrom("put" as const, "put" as const, "delete" as const, "read" as const, "retry" as const),
	key: fc.constantFrom(...KEYS),
	manager: fc.integer({ min: 0, max: 1 }),
	/** By which the wall clock of that manager moves before. */
	step: fc.integer({ min: -3000, max: 3000 }),
	/** Together with the next one, not after this. */
	together: fc.boolean(),
});
const story = fc.record({
	count: fc.integer({ min: 1, max: 5 }),
	operations: fc.array(operation, { maxLength: 25 }),
	fates: fc.array(fc.record({ fate, turns: fc.integer({ min: 0, max: 6 }) }), { minLength: 1, maxLength: 80 }),
});
type Story = typeof story extends fc.Arbitrary<infer T> ? T : never;

/** A last-writer-wins register for each key: what was ever written by stamp, and what has been acknowledged. */
class Model {
	readonly written = new Map<string, string>();
	readonly acknowledged = new Map<string, Stamp>();
	/** Of each key, the last write that was not acknowledged. */
	readonly unsure = new Map<string, Stamp>();
	next = 0;
	/** Fresh writes that were made when no other was, and met something newer than they could be stamped. */
	overtaken = 0;

	newest = (key: string): Stamp => this.acknowledged.get(key) ?? "";

	note(key: string, text: string, outcome: WriteOutcome): void {
		this.written.set(`${key} ${outcome.stamp}`, text);
		if (!outcome.success) this.unsure.set(key, outcome.stamp);
		else if (outcome.stamp > this.newest(key)) this.acknowledged.set(key, outcome.stamp);
	}
}

function scene({ count, fates }: Story) {
	const nodes = fakeNodes(count);
	let drawn = 0;
	for (const node of nodes) node.draw = () => fates[drawn++ % fates.length]!;
	const places = nodes.map(({ node }) => ({ node, reads: true, writes: true, isSettled: true }));
	const walls = [1_000_000, 1_002_000];
	const managers = walls.map((_, at) => {
		const clock = new HybridClock({ nodeId: `${at}`.repeat(16), now: () => walls[at]! });
		return new Coordinator({ view: () => ({ places }), clock, writeTimeoutMs: 5000 });
	});
	return { nodes, walls, managers, model: new Model() };
}
type Scene = ReturnType<typeof scene>;

async function write(
	{ managers, model, nodes }: Scene,
	{ kind, key, manager }: Story["operations"][number],
	isAlone: boolean,
) {
	const before = model.newest(key);
	const stamp = kind === "retry" ? model.unsure.get(key) : undefined;
	const text = stamp ? model.written.get(`${key} ${stamp}`)! : kind === "delete" ? "" : `v${model.next++}`;
	const value = text === "" ? {} : { value: { kind: "text" as const, payload: Buffer.from(text) } };
	const [outcome] = await managers[manager]!.write([{ key: Buffer.from(key), ...value, ...(stamp && { stamp }) }]);
	for (const [at, node] of nodes.entries()) {
		// What is said of a node is true of it, unless a read that went on meanwhile has repaired it.
		if (outcome!.results[at]!.success) expect(node.header(key) >= outcome!.stamp).toBe(true);
		if (outcome!.results[at]!.outcome === "failed" && !stamp && isAlone)
			expect(node.header(key).slice(0, stampLength)).not.toBe(outcome!.stamp);
	}
	// A fresh write that was acknowledged is the newest of all that were before it began.
	if (outcome!.success && !outcome!.superseded && !stamp) expect(outcome!.stamp > before).toBe(true);
	if (outcome!.superseded && !stamp && isAlone) model.overtaken++;
	model.note(key, text, outcome!);
}

async function read({ managers, model }: Scene, { key, manager }: Story["operations"][number]) {
	const before = model.newest(key);
	const [outcome] = await managers[manager]!.read([Buffer.from(key)], "quorum");
	if (outcome!.found === "unavailable") return;
	const stamp = outcome!.stamp ?? "";
	expect(stamp >= before).toBe(true);
	if (outcome!.found === "value") readings.push({ model, at: `${key} ${stamp}`, text: String(outcome!.value.payload) });
}
/** Judged at the end: what a read found may belong to a write that was not over by then. */
const readings: { model: Model; at: string; text: string }[] = [];

async function play(tale: Story): Promise<Scene> {
	const stage = scene(tale);
	let together: Promise<void>[] = [];
	for (const one of tale.operations) {
		stage.walls[one.manager]! += one.step;
		together.push(one.kind === "read" ? read(stage, one) : write(stage, one, !one.together && together.length === 0));
		if (one.together) continue;
		await Promise.all(together);
		together = [];
	}
	await Promise.all(together);
	return stage;
}

const image = (node: FakeNode) => KEYS.map((key) => node.records.get(key)?.toString("latin1"));

test(`reads never miss what was acknowledged, and reads of all make all nodes equal (seed ${seed})`, async () => {
	let acknowledged = 0;
	let missed = 0;
	let overtaken = 0;
	await fc.assert(
		fc.asyncProperty(story, async (tale) => {
			const stage = await play(tale);
			const { nodes, managers, model } = stage;
			for (const node of nodes) node.land();
			for (const node of nodes) node.draw = () => ({ fate: "ok", turns: 0 });
			await turn();
			const newest = KEYS.map(
				(key) =>
					nodes
						.map((node) => node.header(key))
						.sort()
						.at(-1)!,
			);
			const outcomes = await managers[0]!.read(
				KEYS.map((key) => Buffer.from(key)),
				"all",
			);
			await turn();
			await turn();
			for (const node of nodes) expect(image(node)).toEqual(image(nodes[0]!));
			for (const [at, key] of KEYS.entries()) {
				expect(nodes[0]!.header(key)).toBe(newest[at]);
				expect(newest[at]! >= model.newest(key)).toBe(true);
				const outcome = outcomes[at]!;
				if (outcome.found === "value")
					expect(String(outcome.value.payload)).toBe(model.written.get(`${key} ${stampOf(newest[at]!)}`));
			}
			for (const { model: of, at, text } of readings.splice(0))
				if (of.written.has(at)) expect(text).toBe(of.written.get(at));
			acknowledged += model.acknowledged.size;
			missed += model.unsure.size;
			overtaken += model.overtaken;
		}),
		{ seed, numRuns: 400 },
	);
	// The stories are about both.
	expect(acknowledged).toBeGreaterThan(100);
	expect(missed).toBeGreaterThan(100);
	expect(overtaken).toBeLessThan(acknowledged / 50);
});

test.each([
	[1, 1],
	[2, 2],
	[3, 2],
	[4, 3],
	[5, 3],
])("of %i nodes %i are a majority", (registered, needed) => expect(majority(registered)).toBe(needed));
