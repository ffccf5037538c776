import { type ProblemCode, ProblemFound, pathText } from "./problem.ts";

/** A name on the way down to a value: the property's and the field's. */
export interface Step {
	source: string;
	name: string;
}

/** MongoDB takes 100 levels; Datastore has 20. */
const DEEPEST = 100;

/** Where in an entity a reader is: names and indices from the root. */
export class Place {
	readonly #steps: (Step | number)[] = [];
	#depth = 0;

	begin(): void {
		this.#depth = 0;
	}

	/** One level down; gives back what `up` wants. */
	down(): number {
		if (this.#depth === DEEPEST - 1) this.fail("TOO_DEEP", `beyond ${DEEPEST} levels`);
		return this.#depth++;
	}

	up(depth: number): void {
		this.#depth = depth;
	}

	at(depth: number, step: Step | number): void {
		this.#steps[depth] = step;
	}

	/** Fields' names and indices. */
	names(): (string | number)[] {
		const names: (string | number)[] = [];
		for (let depth = 0; depth < this.#depth; depth++) {
			const step = this.#steps[depth] as Step | number;
			names.push(typeof step === "number" ? step : step.name);
		}
		return names;
	}

	/** In the source's names. */
	text(): string {
		return pathText(this.#steps.slice(0, this.#depth).map((step) => (typeof step === "number" ? step : step.source)));
	}

	fail(code: ProblemCode, reason: string): never {
		throw new ProblemFound({ code, path: this.text(), reason });
	}
}
