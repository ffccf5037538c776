import { HoldfastError } from "../../runtime/errors.ts";

/** As commander gives them: texts, and flags. */
export interface Words {
	json: boolean;
	index?: string;
	count?: string;
	concurrency?: string;
	maxErrors?: string;
	sample?: string;
	metricsPort?: string;
	metricsHost?: string;
	readTime?: string;
	report?: string;
	check?: string;
	overwrite?: boolean;
	takeOver?: boolean;
	acceptDeadLetters?: boolean;
}

export interface MigrateOptions {
	json: boolean;
	index: number;
	count: number;
	concurrency?: number;
	maxErrors?: number | string;
	sample?: number;
	metricsPort?: number;
	/** @default 127.0.0.1 */
	metricsHost?: string;
	readTime?: string;
	report?: string;
	check?: string;
	overwrite: boolean;
	takeOver: boolean;
	acceptDeadLetters: boolean;
}

const NUMBERS = { concurrency: [1, 64], sample: [1, 100_000], metricsPort: [0, 65_535] } as const;

/**
 * The options of `migrate`, checked: HF_USAGE. The place among several processes comes from the environment of a
 * Kubernetes Indexed Job where it is not given.
 */
export function parseOptions(words: Words, environment: NodeJS.ProcessEnv = process.env): MigrateOptions {
	const numbers = Object.entries(NUMBERS).map(([name, [least, most]]) => {
		const word = words[name as keyof typeof NUMBERS];
		return word === undefined ? {} : { [name]: whole(`--${kebab(name)}`, word, least, most) };
	});
	const { json, readTime, report, check, metricsHost } = words;
	return {
		json,
		...shareOf(words, environment),
		...(Object.assign({}, ...numbers) as Partial<Record<keyof typeof NUMBERS, number>>),
		...(words.maxErrors !== undefined && { maxErrors: limitOf(words.maxErrors) }),
		...(readTime !== undefined && { readTime }),
		...(report !== undefined && { report }),
		...(check !== undefined && { check }),
		...(metricsHost !== undefined && { metricsHost }),
		...{ overwrite: words.overwrite ?? false, takeOver: words.takeOver ?? false },
		acceptDeadLetters: words.acceptDeadLetters ?? false,
	};
}

function shareOf({ index, count }: Words, environment: NodeJS.ProcessEnv): { index: number; count: number } {
	const processes = count ?? environment.HOLDFAST_JOB_COUNT;
	const place = index ?? environment.JOB_COMPLETION_INDEX;
	if (place !== undefined && processes === undefined)
		throw usage("--index says which process this is, but not of how many", "give --count, or HOLDFAST_JOB_COUNT");
	if (processes === undefined) return { index: 0, count: 1 };
	const all = whole("--count", processes, 1, 10_000);
	if (place === undefined && all > 1)
		throw usage("--count says how many processes there are, but not which this is", "give --index, from 0");
	return { index: whole("--index", place ?? "0", 0, all - 1), count: all };
}

const limitOf = (word: string): number | string =>
	/^\d+(\.\d+)?%$/.test(word) ? word : whole("--max-errors", word, 0, Number.MAX_SAFE_INTEGER);

function whole(name: string, word: string, least: number, most: number): number {
	const value = Number(word);
	if (/^\d+$/.test(word) && value >= least && value <= most) return value;
	throw usage(`${name} is a whole number from ${least} to ${most}`, "see holdfast migrate --help");
}

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const usage = (message: string, next: string) => new HoldfastError("HF_USAGE", message, { next });
