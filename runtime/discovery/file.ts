import { readFile } from "node:fs/promises";
import { z } from "zod";
import { type Answer, answerOf, type Ports } from "./answer.ts";

/** The addresses in a JSON file. Never rejects: what failed is part of the answer. */
export async function readList(path: string, ports: Ports): Promise<Answer> {
	let text: string;
	try {
		text = await readFile(path, "utf8");
	} catch (error) {
		return { kind: "unavailable", problem: `${path} cannot be read (${(error as NodeJS.ErrnoException).code})` };
	}
	try {
		const parsed = z.array(z.string()).safeParse(JSON.parse(text));
		if (parsed.success) return answerOf(parsed.data, ports, (i) => `entry ${i + 1} of ${path}`);
	} catch {
		// Said below.
	}
	return { kind: "malformed", problem: `${path} is not a JSON list of addresses` };
}
