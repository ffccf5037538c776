import { clock } from "../runtime/migrate/eta.ts";
import type { ProgressEvent } from "../runtime/migrate/progress.ts";

const LINE_MS = 10_000;
const BAR_MS = 200;
const WIDTH = 24;

interface Options {
	json: boolean;
	/** Standard output belongs to the result. */
	stream?: { isTTY?: boolean; columns?: number; write(text: string): unknown };
	now?: () => number;
}

/** Shows events: a bar on a terminal, a line every ten seconds elsewhere, JSON lines with `json`. `end` clears the bar. */
export function progressView({ json, stream = process.stderr, now = () => performance.now() }: Options) {
	const bar = !json && stream.isTTY === true;
	let last = Number.NEGATIVE_INFINITY;
	let drawn = false;
	return {
		show(event: ProgressEvent): void {
			const complete = event.total !== undefined && event.done >= event.total;
			if (!json && !complete && now() - last < (bar ? BAR_MS : LINE_MS)) return;
			if (json && now() - last < BAR_MS && !complete) return;
			last = now();
			if (json) stream.write(`${JSON.stringify({ progress: event })}\n`);
			else if (bar) stream.write(`\r\x1b[K${barText(event).slice(0, (stream.columns ?? 80) - 1)}`);
			else stream.write(`holdfast: ${lineText(event)}\n`);
			drawn = bar;
		},
		end(): void {
			if (drawn) stream.write("\r\x1b[K");
			drawn = false;
		},
	};
}

export const count = (number: number): string => Math.round(number).toLocaleString("en-US");

/** `load: 1,200 of 5,000 (24 %), 310/s, 0:12 left, 3 of 8 partitions`. */
export function lineText({ phase, step, done, total, rate, eta }: ProgressEvent): string {
	const share = total === undefined || total === 0 ? "" : ` (${Math.floor((done / total) * 100)} %)`;
	const of = total === undefined ? "" : ` of ${count(total)}${share}`;
	const left = eta === undefined || done === total ? "" : `, ${clock(eta)} left`;
	return `${phase}: ${count(done)}${of}, ${count(rate)}/s${left}, ${step}`;
}

function barText(event: ProgressEvent): string {
	const { done, total } = event;
	if (total === undefined || total === 0) return lineText(event);
	const full = Math.floor((Math.min(done, total) / total) * WIDTH);
	return `[${"#".repeat(full)}${".".repeat(WIDTH - full)}] ${lineText(event)}`;
}
