import { differing } from "./compare.ts";
import { summary } from "./digest.ts";
import { carryDiffering, digestAll, fill, type HealOptions, isNearlyEmpty } from "./heal.ts";
import type { Party } from "./party.ts";
import type { Divergence } from "./store.ts";

export interface RoundInput extends HealOptions {
	parties: readonly Party[];
	/** Those of them that may be empty. */
	newcomers: ReadonlySet<string>;
}

/**
 * One round of anti-entropy: makes all parties equal in what was acknowledged before it began. Fills the empty ones from
 * one of the others, compares digests, carries what differs. Returns the records carried; parties that are not out then
 * are equal. The proof is in the carrying, not in a second comparison, which writes of clients would disturb: each
 * record that stood on a party throughout was offered to each other one, and taken where nothing newer stood.
 */
export async function runRound({ parties, newcomers, ...options }: RoundInput): Promise<number> {
	let carried = await fillEmpty(parties, newcomers, options.pageSize);
	if (parties.length > 1) {
		const compared = await digestAll(parties, options);
		carried += compared.carried;
		carried += await carryDiffering(compared.digests, options);
	}
	await Promise.all(parties.map(checkLast));
	return carried;
}

async function fillEmpty(parties: readonly Party[], newcomers: ReadonlySet<string>, pageSize: number): Promise<number> {
	const sources = parties.filter(({ name }) => !newcomers.has(name));
	const candidates = parties.filter(({ name }) => newcomers.has(name));
	if (sources.length === 0 || candidates.length === 0) return 0;
	const empty = await Promise.all(candidates.map((party) => isNearlyEmpty(party, pageSize)));
	const targets = candidates.filter((_, i) => empty[i]);
	let carried = 0;
	for (const source of targets.length > 0 ? sources : []) {
		// A record that is not compared costs half.
		carried += await fill(source, targets, 2 * pageSize);
		if (source.failure === undefined) break;
	}
	return carried;
}

/** A server that restarted meanwhile may have lost what it was given, and what it should have given: it is out. */
async function checkLast(party: Party): Promise<void> {
	const facts = await party.facts();
	if (facts?.mark?.phase === "wiping") party.failure = `${party.name}: is being wiped`;
}

/** How often buckets that seem to differ are looked at again: writes under way between two looks at a node are no difference. */
const LOOKS = 3;

/** Compares without changing anything but what is under way. */
export async function compareAll(parties: readonly Party[], options: HealOptions, at: number): Promise<Divergence> {
	let best: Divergence | undefined;
	for (let look = 0; look < LOOKS && !best?.equal; look++) {
		const { digests } = await digestAll(parties, options);
		const answered = [...digests].filter(([{ failure }]) => failure === undefined);
		const first = answered[0]?.[1];
		const nodes = answered.map(([{ name }, digest]) => ({
			...{ node: name, digest: summary(digest), records: digest.records },
			differing: differing(first!, digest),
		}));
		best = { at, buckets: options.buckets, nodes, equal: nodes.every((node) => node.differing === 0) };
	}
	return best!;
}
