import type { Admission } from "./admission.ts";
import { majority } from "./coordinator.ts";

export interface Ended {
	/** Every registered node, as it was when the round began. */
	admissions: ReadonlyMap<string, Admission>;
	/** Nodes that the round made or found equal. */
	equal: ReadonlySet<string>;
	/** Nodes that have waited long enough for those that are away. */
	patient: ReadonlySet<string>;
}

/**
 * Which nodes may be marked as equal after a round. A majority must have taken part, or it proves nothing. Nodes that
 * could be read before always are; the others when among the equal ones is a witness of every acknowledged write: with
 * N registered, more than N - majority that have all they acknowledged, now and among the former members. Where there
 * are not enough: when nobody is away that could know more, or when those who are were waited for.
 */
export function entitled({ admissions, equal, patient }: Ended): readonly string[] {
	if (equal.size < majority(admissions.size)) return [];
	const all = [...admissions].map(([name, admission]) => ({ name, ...admission, isEqual: equal.has(name) }));
	const old = all.filter(({ isOld }) => isOld);
	const enough = (among: typeof all) => {
		const witnesses = among.filter(({ isEqual, intact }) => isEqual && intact).length;
		return among.length === 0 || witnesses > among.length - majority(among.length);
	};
	const proven = (enough(all) && enough(old)) || equal.size === all.length;
	const may = all.filter(({ name, isEqual, reads }) => isEqual && (proven || reads || patient.has(name)));
	return may.map(({ name }) => name);
}
