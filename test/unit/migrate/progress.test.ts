import { type PartitionDone, Progress, type ProgressEvent, totalOf } from "../../../runtime/migrate/progress.ts";
import { lineText, progressView } from "../../../scripts/progressBar.ts";

const partition = (index: number, total?: number) => ({
	index,
	label: "",
	range: {},
	...(total !== undefined && { total }),
});
const at = (index: number, done: number, total?: number, finished = false): PartitionDone => ({
	partition: index,
	done,
	...(total !== undefined && { total }),
	finished,
});

function watched(totals: (number | undefined)[]) {
	const events: ProgressEvent[] = [];
	let now = 0;
	const progress = new Progress(
		totals.map((total, index) => partition(index, total)),
		{ phase: "load", emit: (event) => events.push(event), now: () => now },
	);
	const tell = (ms: number, one: PartitionDone) => {
		now = ms;
		progress.update(one);
		return events.at(-1)!;
	};
	return { tell };
}

test("partitions are summed up, with the rate of this run alone", () => {
	const { tell } = watched([100, 200]);
	expect(tell(0, at(0, 50, 100))).toEqual({ phase: "load", step: "0 of 2 partitions", done: 50, total: 300, rate: 0 });
	expect(tell(1000, at(1, 100, 200)).rate).toBe(0);
	const event = tell(2000, at(1, 120, 200));
	expect(event).toMatchObject({ done: 170, total: 300 });
	expect(event.rate).toBeGreaterThan(0);
	expect(event.rate).toBeLessThanOrEqual(20);
	expect(tell(3000, at(0, 90, 100, true))).toMatchObject({ step: "1 of 2 partitions", total: 290 });
});

test("the total is what is known: a finished partition has what it had, an uncounted one makes it unknown", () => {
	expect(totalOf([at(0, 5, 10), at(1, 7, undefined, true)])).toBe(17);
	expect(totalOf([at(0, 12, 10)])).toBe(12);
	expect(totalOf([at(0, 5, 10), at(1, 7)])).toBeUndefined();
	expect(watched([10, undefined]).tell(0, at(0, 1, 10))).not.toHaveProperty("total");
});

const event = (done: number, total?: number): ProgressEvent => ({
	...{ phase: "load", step: "0 of 2 partitions", done, rate: 310.4 },
	...(total !== undefined && { total, eta: (total - done) / 310.4 }),
});

test("a line has what is known", () => {
	expect(lineText(event(1200, 5000))).toBe("load: 1,200 of 5,000 (24 %), 310/s, 0:12 left, 0 of 2 partitions");
	expect(lineText(event(1200))).toBe("load: 1,200, 310/s, 0 of 2 partitions");
	expect(lineText(event(0, 0))).toBe("load: 0 of 0, 310/s, 0 of 2 partitions");
});

function shown({ isTTY, json = false }: { isTTY: boolean; json?: boolean }) {
	const written: string[] = [];
	let now = 0;
	const view = progressView({
		json,
		stream: { isTTY, columns: 60, write: (text) => written.push(text) },
		now: () => now,
	});
	for (now = 0; now <= 25_000; now += 100) view.show(event(now, 30_000));
	view.end();
	return written;
}

test("a line every ten seconds, a bar on a terminal, JSON lines for programs", () => {
	expect(shown({ isTTY: false })).toHaveLength(3);
	const bar = shown({ isTTY: true });
	expect(bar.length).toBeGreaterThan(100);
	expect(bar.at(-1)).toBe("\r\u001b[K");
	for (const line of bar) expect(line.length).toBeLessThan(60 + 4);
	expect(bar[100]).toContain("[####");
	for (const line of shown({ isTTY: true, json: true })) expect(JSON.parse(line)).toHaveProperty("progress.rate");
});

test("the end is always shown", () => {
	const written: string[] = [];
	const view = progressView({ json: false, stream: { write: (text) => written.push(text) }, now: () => 0 });
	view.show(event(1, 10));
	view.show(event(2, 10));
	view.show(event(10, 10));
	expect(written).toHaveLength(2);
});
