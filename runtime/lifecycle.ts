import { isDeepStrictEqual } from "node:util";
import { describe, HoldfastError, NotReady } from "./errors.ts";
import type { Kind, Rules } from "./kind.ts";
import { type KindName, kinds, loadKind, loadRules } from "./kinds.ts";

/** The methods of a Pulumi dynamic provider. */
export type Verb = "check" | "diff" | "create" | "read" | "update" | "delete";
type Json = Record<string, unknown>;

/** What Pulumi sends at preview for a value that is not known yet, whatever its type. */
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
/** The stored text of the forwarder, which the SDK keeps among inputs and outputs. */
const PROVIDER = "__provider";

/**
 * The one door from Pulumi to the runtime. `args` are those of the provider's method; the result is what Pulumi
 * expects of it. `undefined` never leaves here: it would fail after the work was done and orphan the object.
 */
export async function serve(name: KindName, verb: Verb, args: readonly unknown[]): Promise<unknown> {
	if (!(name in kinds)) throw new HoldfastError("HF_INTERNAL", `there is no kind ${name}`);
	const [first, second, third] = args as [Json & string, Json, Json];
	const rules = await loadRules(name);
	switch (verb) {
		case "check":
			return check(rules, second);
		case "diff":
			return { replaces: replacements(rules, second, third), deleteBeforeReplace: true };
		case "create":
			return ensure(rules, await loadKind(name), first);
		case "update":
			return { outs: (await ensure(rules, await loadKind(name), third, second)).outs };
		case "read":
			return read(await loadKind(name), first, second);
		case "delete":
			return (await loadKind(name)).remove(first, plain(second));
	}
}

/** Checks `inputs` against the kind's schema. Values that are unknown at preview pass. */
export function problems({ schema }: Pick<Rules, "schema">, inputs: Json): string[] {
	const { [PROVIDER]: _, ...rest } = plain(inputs);
	const result = schema.safeParse(rest);
	if (result.success) return [];
	return result.error.issues
		.filter((issue) => !isUnknown(rest, issue.path))
		.map((issue) => `${issue.path.join(".") || "inputs"}: ${issue.message}`);
}

function check(rules: Rules, inputs: Json) {
	// An empty property name keeps Pulumi from printing the refused value, which may be a secret.
	const failures = problems(rules, inputs).map((reason) => ({ property: "", reason: `HF_SETTING: ${reason}` }));
	return { inputs: plain(inputs), failures };
}

/** Only `replaces`: with `changes` left open the engine makes its own property-level, masked diff. */
function replacements({ replaces }: Rules, olds: Json, news: Json): string[] {
	return replaces.filter((key) => !isDeepStrictEqual(olds[key], news[key]));
}

async function ensure(rules: Rules, kind: Kind<object, object>, inputs: Json, previous?: Json) {
	const [refused] = problems(rules, inputs);
	if (refused) throw new HoldfastError("HF_SETTING", refused);
	const { [PROVIDER]: _, ...own } = plain(inputs);
	if (isUnknown(own, [])) throw new HoldfastError("HF_INTERNAL", "asked to act on values that are not known yet");
	try {
		const outputs = await kind.ensure(own, previous && plain(previous));
		return { id: kind.id(own), outs: plain({ ...inputs, ...outputs }) };
	} catch (error) {
		if (!(error instanceof NotReady)) throw Object.assign(new Error(describe(error)), { cause: error });
		// State without the provider's text can be neither refreshed nor destroyed: the inputs carry it.
		const properties = plain({ ...inputs, ...error.outputs });
		throw Object.assign(new Error(describe(error)), { id: error.id, properties, reasons: [describe(error)] });
	}
}

async function read(kind: Kind<object, object>, id: string, state: Json) {
	const found = await kind.observe(id, plain(state));
	if (!found) return {};
	const props = plain({ ...state, ...found.outputs, ...found.inputs });
	const outputs = new Set(Object.keys(found.outputs));
	const inputs = Object.fromEntries(Object.entries(props).filter(([key]) => !outputs.has(key)));
	return { id, props, inputs };
}

/** A copy as JSON keeps it: without `undefined`. */
const plain = (value: Json): Json => JSON.parse(JSON.stringify(value)) as Json;

/** Whether the value at `path`, or one on the way there, or one below it is not known yet. */
function isUnknown(value: unknown, path: readonly PropertyKey[]): boolean {
	let at = value;
	for (const key of path) {
		if (at === UNKNOWN) return true;
		at = (at as Record<PropertyKey, unknown> | undefined)?.[key];
	}
	return JSON.stringify(at)?.includes(UNKNOWN) ?? false;
}
