import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Result, TestStack } from "./stack.ts";

export const said = ({ stdout, stderr }: Result): string => stdout + stderr;

/** Takes the settings of a change away again. */
export const unset = (change: object): Record<string, undefined> =>
	Object.fromEntries(Object.keys(change).map((key) => [key, undefined]));

/** Refused by `preview` with all of `patterns`; without a stack trace, and without a trace on disk. What it said. */
export async function refusedByPreview(stack: TestStack, patterns: readonly RegExp[]): Promise<string> {
	const result = await stack.holdfast("preview");
	const words = said(result);
	expect(result.code).not.toBe(0);
	for (const pattern of patterns) expect(words).toMatch(pattern);
	expect(words).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
	expect(existsSync(join(stack.home, stack.name))).toBe(false);
	return words;
}
