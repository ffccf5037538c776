import { stat } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { Batcher, type BatchLimits } from "../../../runtime/redis/batch.ts";
import { Breaker } from "../../../runtime/redis/breaker.ts";
import { NodeFailure } from "../../../runtime/redis/failure.ts";

const NAME = "10.0.0.1:6379";

/** A batcher over a connection that answers when told to: each number with itself doubled. */
function scene(limits: Partial<BatchLimits> = {}) {
	const sent: { items: number[]; answer: (reply?: unknown) => void; fail: (failure: NodeFailure) => void }[] = [];
	const breaker = new Breaker(NAME, () => batcher.drop(breaker.failure));
	const batcher: Batcher<number, number> = new Batcher(
		NAME,
		{
			guard: (work) => breaker.run(work),
			send: (calls) => {
				const items = calls.map(({ item }) => item);
				return new Promise((resolve, reject) => {
					sent.push({ items, answer: (reply = items.map((item) => 2 * item)) => resolve(reply), fail: reject });
				});
			},
			deliver: (reply, calls) => {
				for (const [at, call] of calls.entries()) call.resolve((reply as number[]).at(at)!);
			},
		},
		{ items: 3, bytes: 100, inFlight: 1, waitingItems: 8, waitingBytes: 1000, timeoutMs: 5000, ...limits },
	);
	const add = (item: number, bytes = 1) => {
		const answer = batcher.add(item, bytes);
		answer.catch(() => {});
		return answer;
	};
	return { sent, breaker, batcher, add, settled: () => sent.map(({ items }) => items) };
}

/** All that are under way are answered, until none are left. */
async function answerAll({ sent }: ReturnType<typeof scene>) {
	for (let at = 0; at < sent.length; at++) {
		sent[at]!.answer();
		await turn();
		await turn();
	}
}

it("lets the calls of a tick travel together, and gives each its own answer", async () => {
	const stage = scene();
	const answers = [1, 2, 3].map((item) => stage.add(item));
	expect(stage.sent).toEqual([]);
	await turn();
	await answerAll(stage);
	expect(stage.settled()).toEqual([[1, 2, 3]]);
	expect(await Promise.all(answers)).toEqual([2, 4, 6]);
});

it("cuts by number and by bytes; what is larger travels alone", async () => {
	const stage = scene();
	for (const item of [1, 2, 3, 4]) stage.add(item);
	for (const [item, bytes] of [
		[5, 60],
		[6, 60],
		[7, 400],
	] as const)
		stage.add(item, bytes);
	await turn();
	await answerAll(stage);
	expect(stage.settled()).toEqual([[1, 2, 3], [4, 5], [6], [7]]);
});

it("gathers while as many batches are under way as may be", async () => {
	const stage = scene({ inFlight: 1 });
	stage.add(1);
	await turn();
	stage.add(2);
	await turn();
	stage.add(3);
	await turn();
	expect(stage.settled()).toEqual([[1]]);
	stage.sent[0]!.answer();
	await turn();
	await turn();
	expect(stage.settled()).toEqual([[1], [2, 3]]);
	stage.sent[1]!.answer();
});

it("refuses what is too much, by number and by bytes, until what waits was answered", async () => {
	const stage = scene();
	const all = Array.from({ length: 9 }, (_, item) => stage.add(item));
	await expect(all[8]).rejects.toMatchObject({ code: "OVERLOADED", outcome: "failed" });
	await turn();
	await answerAll(stage);
	await expect(stage.add(1, 1001)).rejects.toMatchObject({ code: "OVERLOADED" });
	const again = stage.add(9);
	await turn();
	await answerAll(stage);
	expect(await again).toBe(18);
});

it("says of what was sent that it is unknown, of what was not that it failed", async () => {
	const stage = scene({ timeoutMs: 20 });
	const first = stage.add(1);
	await turn();
	const second = stage.add(2);
	await expect(first).rejects.toMatchObject({ code: "TIMEOUT", outcome: "unknown" });
	await expect(second).rejects.toMatchObject({ code: "TIMEOUT", outcome: "failed" });
	expect(stage.settled()).toEqual([[1]]);
});

it("does not take its own business for the silence of the node", async () => {
	const stage = scene({ timeoutMs: 20 });
	const call = stage.add(1);
	await turn();
	// The answer has arrived, and waits to be read, when the time is up.
	stat(__filename, () => stage.sent[0]!.answer());
	const end = Date.now() + 100;
	while (Date.now() < end);
	expect(await call).toBe(2);
});

it("counts for the breaker also what could not even be sent", async () => {
	const stage = scene({ timeoutMs: 20 });
	for (let outage = 0; outage < 5; outage++) await stage.add(outage).catch(() => {});
	await turn();
	expect(stage.settled()).toEqual([[0]]);
	expect(stage.breaker.isClosed).toBe(false);
});

it("goes on counting what a silent node was sent, so it holds no more than it may", async () => {
	const stage = scene({ timeoutMs: 20, waitingItems: 2, inFlight: 4 });
	const calls = [stage.add(1), stage.add(2)];
	await Promise.allSettled(calls);
	await expect(stage.add(3)).rejects.toMatchObject({ code: "OVERLOADED" });
	stage.sent[0]!.answer();
	await turn();
	await turn();
	const later = stage.add(4);
	await turn();
	stage.sent[1]!.answer();
	expect(await later).toBe(8);
});

it("fails its calls with what the connection says", async () => {
	const stage = scene();
	const lost = new NodeFailure(NAME, "UNREACHABLE", "unknown", "lost");
	const calls = [stage.add(1), stage.add(2)];
	await turn();
	stage.sent[0]!.fail(lost);
	for (const call of calls) await expect(call).rejects.toBe(lost);
});

it("does not choke on a reply that is none", async () => {
	const stage = scene();
	const call = stage.add(1);
	await turn();
	stage.sent[0]!.answer(null);
	await expect(call).rejects.toMatchObject({ code: "REFUSED", outcome: "unknown" });
});

it("fails everything at once when outages in a row have opened the breaker, until a probe went well", async () => {
	const stage = scene();
	for (let outage = 0; outage < 5; outage++) {
		stage.add(outage);
		await turn();
		if (outage === 4) break;
		stage.sent.at(-1)!.fail(new NodeFailure(NAME, "UNREACHABLE", "unknown", "lost"));
		await turn();
		await turn();
	}
	const waiting = stage.add(9);
	stage.sent.at(-1)!.fail(new NodeFailure(NAME, "UNREACHABLE", "unknown", "lost"));
	await expect(waiting).rejects.toMatchObject({ code: "BREAKER_OPEN", outcome: "failed" });
	expect(stage.breaker.isClosed).toBe(false);
	await expect(stage.breaker.run(async () => 1)).rejects.toMatchObject({ code: "BREAKER_OPEN" });
	await expect(stage.breaker.probe(async () => 1)).rejects.toMatchObject({ code: "BREAKER_OPEN" });
	const later = jest.spyOn(Date, "now").mockReturnValue(Date.now() + 60_000);
	expect(await stage.breaker.probe(async () => 1)).toBe(1);
	later.mockRestore();
	expect(stage.breaker.isClosed).toBe(true);
});

it("is not opened by a node that answers, if only with refusals", async () => {
	const { breaker } = scene();
	const full = new NodeFailure(NAME, "OUT_OF_MEMORY", "failed", "is full");
	for (let refusal = 0; refusal < 20; refusal++)
		await expect(breaker.run(() => Promise.reject(full))).rejects.toBe(full);
	expect(breaker.isClosed).toBe(true);
});
