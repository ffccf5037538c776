import { HoldfastError } from "../../errors.ts";
import { ObjectGone } from "../../gcs/gone.ts";
import { ContentProblem } from "./jsonTokens.ts";

/** What is wrong with one object. Codes are kept in dead letters. */
export interface ItemProblem {
	code: ContentProblem["code"] | "SOURCE_CHANGED" | "REFUSED" | "DAMAGED";
	/** For people; never what stands in the object. */
	reason: string;
}

export const SOURCE_CHANGED: ItemProblem = {
	code: "SOURCE_CHANGED",
	reason: "the source's object is not the one that was listed when the migration began",
};

/** What a failure says of the object at hand; others can go on. Failures of another kind are thrown again. */
export function itemProblem(error: unknown): ItemProblem {
	if (error instanceof ContentProblem) return { code: error.code, reason: error.message };
	if (error instanceof ObjectGone) return SOURCE_CHANGED;
	if (String((error as { code?: unknown })?.code).startsWith("Z_"))
		return { code: "ENCODING", reason: "contents that are told to be gzip are not" };
	if (error instanceof HoldfastError && error.code === "HF_REJECTED") return { code: "REFUSED", reason: error.message };
	if (error instanceof HoldfastError && error.code === "HF_DAMAGED") return { code: "DAMAGED", reason: error.message };
	throw error;
}
