import { text } from "node:stream/consumers";
import { HoldfastError } from "../../runtime/errors.ts";
import { type KindName, kinds } from "../../runtime/kinds.ts";
import { serve, type Verb } from "../../runtime/lifecycle.ts";

const VERBS: readonly string[] = ["check", "diff", "create", "read", "update", "delete"];

/** One verb by hand, in a Job or from an agent: a JSON array of arguments on standard input, the result as JSON. */
export async function run({ args: [kind, verb] }: { args: [string, string] }): Promise<void> {
	if (!(kind in kinds))
		throw new HoldfastError("HF_USAGE", `there is no kind ${kind}: ${Object.keys(kinds).join(", ")}`);
	if (!VERBS.includes(verb)) throw new HoldfastError("HF_USAGE", `there is no verb ${verb}: ${VERBS.join(", ")}`);
	const args = parse(await text(process.stdin));
	console.log(JSON.stringify((await serve(kind as KindName, verb as Verb, args)) ?? null));
}

function parse(input: string): unknown[] {
	try {
		const args = JSON.parse(input);
		if (Array.isArray(args)) return args;
	} catch {
		// Said below; the parser's own message would quote the input, which may hold secrets.
	}
	throw new HoldfastError("HF_USAGE", "standard input is not a JSON array of the verb's arguments", {
		next: 'e.g. echo \'["<id>", {"...": "state"}]\' | npm run --silent holdfast -- serve mongo/User read',
	});
}
