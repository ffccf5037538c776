import type { z } from "zod";

/** What `observe` found: outputs as they are, and those inputs that the world contradicts (shown as drift). */
export interface Observation<I, O> {
	inputs?: Partial<I>;
	outputs: O;
}

/** What a preview needs of a kind: pure, loaded without any driver. */
export interface Rules {
	/** Checks inputs before anything is changed. Secrets must not appear in its messages. */
	schema: z.ZodType;
	/** Inputs whose change means another object. Empty for anything that holds data. */
	replaces: readonly string[];
}

/**
 * What one kind of managed object can do. All arguments and results are plain JSON, so the same verbs serve
 * Pulumi, the command line, a Job or an agent. Every verb has its own deadline and can be run again.
 */
export interface Kind<I extends object, O extends object> {
	/** Deterministic and not secret: printed everywhere. */
	id(inputs: I): string;
	/** Create and update: makes the world match `inputs`; `previous` is the stored state, absent on create. */
	ensure(inputs: I, previous?: I & O): Promise<O>;
	/** What is really there; `undefined` when it is gone. Never writes. */
	observe(id: string, state: I & O): Promise<Observation<I, O> | undefined>;
	/** Removes what is provably ours; a missing object is success. */
	remove(id: string, state: I & O): Promise<void>;
}
