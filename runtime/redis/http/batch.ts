import type { Consistency, ReadOutcome, Write } from "../store.ts";
import { unansweredText, writeAnswerOf } from "./answers.ts";
import { checkStamp, JSON_TYPE, notFoundBody } from "./data.ts";
import { errorBody, Refusal } from "./errors.ts";
import { keyOfText } from "./key.ts";
import type { Handler, Service } from "./service.ts";
import { type Given, givenValue, valueJson } from "./value.ts";

interface Item extends Given {
	key: string;
	delete?: true;
}

/** Values are read in parts of so many keys, so that an answer too large is noticed before all of it is in memory. */
const PART = 64;

function writeOf(item: Item, service: Service): Write {
	checkStamp(item.stamp, service);
	const { key, stamp } = item;
	if (item.delete === undefined)
		return { key: keyOfText(key), value: givenValue(item, service.maxValueBytes, service.now()), stamp };
	const other = (["value", "valueBase64", "ttlSeconds", "expiresAt"] as const).find((name) => item[name] !== undefined);
	if (other !== undefined)
		throw new Refusal("INVALID_REQUEST", `delete and ${other} exclude each other: send one of them.`);
	return { key: keyOfText(key), stamp };
}

/** Nothing is written unless every write of the batch can be. */
function writesOf(items: readonly Item[], service: Service): Write[] {
	return items.map((item, i) => {
		try {
			return writeOf(item, service);
		} catch (error) {
			throw error instanceof Refusal ? new Refusal(error.code, `writes[${i}]: ${error.message}`) : error;
		}
	});
}

export const batchWrite =
	(service: Service): Handler =>
	async (request, reply) => {
		const items = (request.body as { writes: readonly Item[] }).writes;
		const writes = writesOf(items, service);
		const outcomes = await service.store.write(writes);
		for (const outcome of outcomes) service.metrics.wrote(outcome);
		const success = outcomes.every((outcome) => outcome.success);
		reply.statusCode = success ? 200 : 207;
		const results = outcomes.map((outcome, i) => ({
			key: items[i]!.key,
			...writeAnswerOf(outcome, writes[i]!.value?.expiresAt),
		}));
		return { success, results };
	};

function itemJson(key: string, outcome: ReadOutcome): string {
	const start = `{"key":${JSON.stringify(key)},`;
	if (outcome.found === "value") return start + valueJson(outcome);
	const error = outcome.found === "nothing" ? notFoundBody(outcome) : errorBody("NO_QUORUM", unansweredText(outcome));
	return start + JSON.stringify(error).slice(1);
}

export const batchRead =
	(service: Service): Handler =>
	async (request, reply) => {
		const { keys, consistency } = request.body as { keys: readonly string[]; consistency: Consistency };
		const bytes = keys.map(keyOfText);
		const items: string[] = [];
		let size = 0;
		reply.statusCode = 200;
		for (let from = 0; from < bytes.length; from += PART) {
			const outcomes = await service.store.read(bytes.slice(from, from + PART), consistency);
			for (const outcome of outcomes) {
				service.metrics.read(outcome);
				if (outcome.found === "unavailable") reply.statusCode = 207;
				if (outcome.found === "value") size += outcome.value.payload.length;
				if (size > service.maxBatchBytes) throw overLimit(service.maxBatchBytes);
				items.push(itemJson(keys[items.length]!, outcome));
			}
		}
		reply.header("content-type", JSON_TYPE);
		return `{"results":[${items.join(",")}]}`;
	};

const overLimit = (max: number): Refusal =>
	new Refusal(
		"TOO_LARGE",
		`The values of these keys have more than ${max} bytes together: ask for fewer keys at once.`,
	);
