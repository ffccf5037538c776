import type { Admission } from "./admission.ts";
import { majority } from "./majority.ts";

export interface Ended {
	/** Every registered node, as it was when the round began. */
	admissions: ReadonlyMap<string, Admission>;
	/** Nodes that the round made or found equal. */
	equal: ReadonlySet<string>;
	/** Nodes that have been of no use for so long that they need not wait for those that are away. */
	waited: ReadonlySet<string>;
}

/**
 * Which nodes may be marked as equal after a round. A majority must have taken part, or it proves nothing. Nodes that
 * could be read before always are; the others when among the equal ones is a witness of every acknowledged write: with
 * N registered, more than N - majority that have all they acknowledged, now and among those that are settled. Where there
 * are not enough: when nobody is away that could know more, or when those who are were waited for.
 */
export function entitled({ admissions, equal, waited }: Ended): readonly string[] {
	if (equal.size < majority(admissions.size)) return [];
	const all = [...admissions].map(([name, admission]) => ({ name, ...admission, isEqual: equal.has(name) }));
	const settled = all.filter(({ isSettled }) => isSettled);
	const enough = (among: typeof all) => {
		const witnesses = among.filter(({ isEqual, intact }) => isEqual && intact).length;
		return among.length === 0 || witnesses > among.length - majority(among.length);
	};
	const proven = (enough(all) && enough(settled)) || equal.size === all.length;
	const may = all.filter(({ name, isEqual, reads }) => isEqual && (proven || reads || waited.has(name)));
	return may.map(({ name }) => name);
}
