/** Fault tests have a short form in `npm test` and a long one in `npm run test:faults`. */
export const long = process.env.HOLDFAST_LONG === "1";

/** Randomness that a failing run can repeat: HOLDFAST_SEED, else the clock; always printed. */
export function seeded(label: string): () => number {
	let state = Number(process.env.HOLDFAST_SEED ?? Date.now() % 2 ** 31);
	process.stderr.write(`${label}: HOLDFAST_SEED=${state}\n`);
	return () => {
		// Park and Miller's minimal generator: short, and the same everywhere.
		state = (state * 48_271) % 2_147_483_647;
		return state / 2_147_483_647;
	};
}
