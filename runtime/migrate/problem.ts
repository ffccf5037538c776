/** Why an entity cannot be written, or not without losing something. Codes are kept in dead letters. */
export type ProblemCode =
	/** The entity's own key, or its parent's, is not in the map. */
	| "UNMAPPED_KEY"
	/** A key in a property is not in the map, and the rule is to put such entities aside. */
	| "UNMAPPED_REFERENCE"
	/** A rename meets a property that is there too. */
	| "NAME_CLASH"
	/** Beyond what a BSON document holds. */
	| "TOO_LARGE"
	| "TOO_DEEP"
	/** A value that has no type, or that its type cannot have: text with half a surrogate pair, a time without a date. */
	| "INVALID_VALUE";

export interface Problem {
	code: ProblemCode;
	/** Where, by the source's names: `tags[3].owner`. */
	path: string;
	/** For people; never a value. */
	reason: string;
}

/** Thrown inside a reader, caught at its entrance. */
export class ProblemFound extends Error {
	readonly problem: Problem;
	constructor(problem: Problem) {
		super(problem.reason);
		this.problem = problem;
	}
}

/** The problem that an error tells of; throws what tells of none. Keys that are none are RangeErrors. */
export function problemOf(error: unknown, path: () => string): Problem {
	if (error instanceof ProblemFound) return error.problem;
	if (error instanceof RangeError) return { code: "INVALID_VALUE", path: path(), reason: error.message };
	throw error;
}

/** `tags[3].at`; a name that is not plain stands in brackets: `["a.b"]`. */
export function pathText(path: readonly (string | number)[]): string {
	return path
		.map((step, index) => {
			if (typeof step === "number") return `[${step}]`;
			if (!/^[\p{L}\p{N}_$-]+$/u.test(step)) return `[${JSON.stringify(step)}]`;
			return index === 0 ? step : `.${step}`;
		})
		.join("");
}
