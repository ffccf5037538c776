import type { Access } from "../access.ts";

/** What a ledger entry can be about. */
type Thing = "role" | "database";

/** Who made a role or database. Percent-encoded, since names may have any characters. */
export const ownerOf = ({ stack, cluster }: Access, thing: Thing, name: string): string =>
	`${stack}/${cluster}/${thing}/${encodeURIComponent(name)}`;

const MARK = /\n?\[holdfast (\S+)\]$/;

/**
 * The ledger is the last line of the object's comment: it is written in the transaction that makes the object, goes when
 * the object goes, stays through a rename, a dump of roles and pg_upgrade, and can never speak of another object of
 * the same name.
 */
export const ownerIn = (comment: string | null): string | undefined => MARK.exec(comment ?? "")?.[1];

/** The comment with `owner` as its last line; what people wrote before it stays. */
export function marked(comment: string | null, owner: string): string {
	const text = (comment ?? "").replace(MARK, "");
	return text === "" ? `[holdfast ${owner}]` : `${text}\n[holdfast ${owner}]`;
}

export interface Refusal {
	kind: "refuse";
	code: "HF_FOREIGN" | "HF_UNSAFE" | "HF_SETTING" | "HF_DATA_LOST" | "HF_PROTECTED";
	why: string;
	next: string;
}

export const foreign = (what: string, owner: string | undefined): Refusal => ({
	kind: "refuse",
	code: "HF_FOREIGN",
	why: `${what} exists already and belongs to ${owner ?? "somebody else"}`,
	next: "set adopt: true on it to take it over, or choose another name",
});

/** One command to the server. `what` is all that a log may show of it. */
export interface Statement {
	what: string;
	sql: string;
	/** It cannot run in a transaction. */
	alone?: true;
}

/** `leave`: it is there, but not ours to drop. */
export type Removal = { kind: "drop" } | { kind: "leave"; why: string } | { kind: "nothing" };

/** Whether a role or database may be dropped: only what the ledger says is ours. */
export function planRemoval(what: string, found: { comment: string | null } | undefined, owner: string): Removal {
	if (!found) return { kind: "nothing" };
	const present = ownerIn(found.comment);
	if (present === owner) return { kind: "drop" };
	return { kind: "leave", why: `${what} belongs to ${present ?? "somebody else"} and is left in place` };
}
