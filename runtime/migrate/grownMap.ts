import type { IdMap } from "./idmap/idMap.ts";
import { ruleOf } from "./kindRule.ts";
import type { Migration } from "./model.ts";

/** Whether a map is the one with that hash, or has grown from it: all that is in the one is in the other, unchanged. */
export const contains = (map: IdMap, hash: string): boolean => map.hash === hash || map.former?.includes(hash) === true;

/**
 * Whether a map that has grown changes nothing of what was written: so it is where unmapped keys are put aside, and not
 * where a null or the old key was written instead. Dead letters are tried again with it then.
 */
export function growthIsHarmless(declaration: Migration): boolean {
	if (declaration.kind === "objects") return true;
	const { rules } = declaration;
	return ["", ...Object.keys(rules.kinds)].every((kind) => ruleOf(rules, kind).unmapped === "deadLetter");
}
