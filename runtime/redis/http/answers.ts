import { majority } from "../majority.ts";
import { msOf } from "../stamp.ts";
import type { WriteOutcome } from "../store.ts";
import { httpErrors } from "./errors.ts";

/** Why a write has no majority, in a sentence that holds no more than counts. */
function shortfall({ writtenTo, totalNodes, results }: WriteOutcome): string {
	const open = results.filter(({ outcome }) => outcome === "unknown").length;
	const needed = majority(totalNodes);
	const more = writtenTo < needed ? "" : ", with a majority of those that counted before the change of nodes under way";
	const maybe = open === 0 ? "" : ` (${open} more may have)`;
	return `${writtenTo} of ${totalNodes} nodes took the write${maybe}, and ${needed} are needed${more}: ${httpErrors.NO_QUORUM.next}.`;
}

/** Body of the answer to a write. */
export function writeAnswerOf(outcome: WriteOutcome, expiresAt?: number) {
	const { success, writtenTo, totalNodes, results, stamp, superseded } = outcome;
	const answer = {
		success,
		writtenTo,
		totalNodes,
		results,
		stamp,
		timestamp: msOf(stamp),
		expiresAt,
		superseded: superseded || undefined,
	};
	return success ? answer : { ...answer, error: shortfall(outcome), code: "NO_QUORUM" };
}

export const unansweredText = ({ answered, needed }: { answered: number; needed: number }): string =>
	`${answered} of the ${needed} nodes needed answered: repeat it, ask with consistency=one, or see /nodes.`;
