/** What a comparison was of. */
export interface Compare {
	/** What the load read at; absent where the source could not be pinned. */
	loadedAt?: string;
	/** What was compared. */
	readTime?: string;
	equal: boolean;
	excused: number;
	/** So many items of each group were looked at; absent for all. */
	sample?: number;
}

const FROZEN = "keep the source frozen (read-only) from before that time until applications use the target";

/** What a comparison proves, and what it does not: for people, at the end of a report. */
export function proofOf({ loadedAt, readTime, equal, excused, sample }: Compare): string {
	const aside = excused === 0 ? "" : ` ${excused} items that the load put aside (dead letters) are not in the target.`;
	if (sample !== undefined)
		return `A quick look at about ${sample} items of each group proves little: verify without --sample compares all.${aside}`;
	if (!equal) return `Source and target differ: the differences tell where.${aside}`;
	return `${equalProof(loadedAt, readTime)}${aside}`;
}

function equalProof(loadedAt: string | undefined, readTime: string | undefined): string {
	if (readTime === undefined)
		return (
			"What the source held while this ran is in the target, and nothing else is. The source cannot be read as it was " +
			"at one time: that holds only if nothing wrote to it meanwhile, and says nothing of later writes."
		);
	if (readTime === loadedAt)
		return (
			`What the source held at ${readTime} is in the target, and nothing else is. What was written to the source ` +
			"since is not covered: freeze the source, then verify with --read-time now."
		);
	return (
		`Between ${loadedAt ?? "the load"} and ${readTime} the source did not change in a way that the target does not ` +
		`have. Writes after ${readTime} are not covered: ${FROZEN}.`
	);
}
