import type { Admission } from "./admission.ts";
import { majority } from "./majority.ts";
import { equalMark } from "./mark.ts";
import type { Party } from "./party.ts";

/** What marks say of who belongs together. */
export interface Members {
	members: readonly string[];
	/** While members change: those that count already, without those that were waited for long enough. */
	former?: readonly string[];
	/** Whether the change may end with this round. */
	ends: boolean;
}

/** What a round writes that made `marked` equal. A change ends when all new members are equal, or were waited for. */
export function membersAfter(
	admissions: ReadonlyMap<string, Admission>,
	{ members, marked, waited }: { members: readonly string[]; marked: readonly string[]; waited: ReadonlySet<string> },
): Members {
	const isSettled = (name: string) => admissions.get(name)!.isSettled;
	const ends = members.every((name) => isSettled(name) || marked.includes(name) || waited.has(name));
	const former = members.filter((name) => isSettled(name) && !waited.has(name));
	return { members, ...(members.every(isSettled) ? {} : { former }), ends };
}

/**
 * Marks parties of a round as equal; those that could not be are out. A change of members is settled when a majority of
 * those that counted before carries it: whoever makes a round without the new members then meets a mark that names them.
 */
export async function markEqual(
	parties: readonly Party[],
	at: number,
	{ members, former, ends }: Members,
): Promise<void> {
	const mark = (these?: readonly string[]) =>
		Promise.all(parties.map((party) => party.mark(equalMark(at, party.runId, members, these))));
	await mark(former);
	if (former === undefined || !ends) return;
	const carrying = parties.filter(({ name, failure }) => failure === undefined && former.includes(name));
	if (former.length === 0 || carrying.length >= majority(former.length)) await mark();
}
