import type { SetConfig } from "./state.ts";

/**
 * Member `_id` by `host:port`, of all hosts that were ever members, longest absent first. An `_id` is identity: heartbeats
 * and votes of a removed member may still be under way, so a new host gets a fresh one.
 */
export type IdLedger = Readonly<Record<string, number>>;

const MAX_ID = 255;

/** The ledger with everything the config says; its members move to the end, since they are in use now. */
export function rememberIds(ledger: IdLedger, { members }: SetConfig): IdLedger {
	const absent = Object.entries(ledger).filter(([host]) => !members.some((member) => member.host === host));
	return Object.fromEntries([...absent, ...members.map(({ host, _id }) => [host, _id] as const)]);
}

/** The host's former `_id` while it is free, else one above all known, else the lowest unknown, else the longest unused. */
export function allocateId({ members }: SetConfig, host: string, ledger: IdLedger): number {
	const used = new Set(members.map(({ _id }) => _id));
	const former = ledger[host];
	if (former !== undefined && !used.has(former)) return former;
	const known = new Set([...used, ...Object.values(ledger)]);
	const next = Math.max(-1, ...known) + 1;
	if (next <= MAX_ID) return next;
	for (let id = 0; id <= MAX_ID; id++) if (!known.has(id)) return id;
	return Object.values(ledger).find((id) => !used.has(id))!;
}
