import { isCaughtUp } from "./quorum.ts";
import type { RolloutMember, RolloutStep } from "./state.ts";

const PRIMARY = 1;
const ARBITER = 7;
const hosts = (members: readonly RolloutMember[]): string => members.map(({ host }) => host).join(", ");

/** Its process does not answer: restarting it takes nothing away. */
const isDown = ({ state, joined }: RolloutMember): boolean => !joined || state === 8 || state === -1;

/** Fit to be missed, or to stand in while another one is. */
const isFit = (member: RolloutMember): boolean =>
	member.state === PRIMARY || member.state === ARBITER || isCaughtUp(member);

/**
 * The one next step to make every process run what is staged for it. One member at a time, each only while all others
 * are healthy; secondaries first, the primary last, after it stepped down. With one or two voters no order keeps a
 * majority: writes pause while a voter restarts. While the key rotates there are two rounds, so that any two
 * processes share a key at every moment: both keys everywhere, then only the new one. Needs no memory.
 */
export function planRollout(members: readonly RolloutMember[], { rotating }: { rotating: boolean }): RolloutStep {
	const write = rotating ? nextKeys(members) : undefined;
	if (write) return write;
	const pending = members.filter(({ pendingRestart }) => pendingRestart);
	const halfWay = pending.filter(({ keys }) => keys === "both");
	const candidates = rotating && halfWay.length > 0 ? halfWay : pending;
	return candidates.length === 0 ? { kind: "done" } : nextRestart(members, candidates);
}

/** The second round begins when no process can be left that knows only the old key. */
function nextKeys(members: readonly RolloutMember[]): RolloutStep | undefined {
	const old = members.find(({ keys }) => keys === "old");
	if (old)
		return {
			kind: "writeKeys",
			host: old.host,
			keys: "both",
			why: `let ${old.host} accept the new key beside the old one`,
		};
	const both = members.filter(({ keys }) => keys === "both");
	const [first] = both;
	if (!first || both.some(({ pendingRestart }) => pendingRestart)) return undefined;
	return { kind: "writeKeys", host: first.host, keys: "new", why: `leave ${first.host} only the new key` };
}

function nextRestart(members: readonly RolloutMember[], candidates: readonly RolloutMember[]): RolloutStep {
	const down = candidates.find(isDown);
	if (down) return { kind: "restart", host: down.host, why: `restart ${down.host}, which is not in use` };
	const unfit = members.filter((member) => member.joined && !isFit(member));
	if (unfit.length > 0)
		return { kind: "wait", why: `waiting for ${hosts(unfit)} to be healthy before the next restart` };
	const primary = members.find(({ state, joined }) => joined && state === PRIMARY);
	if (!primary) return { kind: "wait", why: "waiting for a primary before the next restart" };
	const others = candidates.filter((member) => member !== primary);
	const next = others.find(({ votes }) => votes === 0) ?? others[0];
	if (next) return { kind: "restart", host: next.host, why: `restart ${next.host}` };
	const heirs = members.filter(
		(member) => member !== primary && member.joined && member.votes === 1 && member.priority > 0,
	);
	if (heirs.length === 0)
		return {
			kind: "restart",
			host: primary.host,
			why: `restart ${primary.host}: nobody else can be primary meanwhile`,
		};
	return {
		kind: "stepDown",
		host: primary.host,
		why: `let ${hosts(heirs)} take over from ${primary.host} before its restart`,
	};
}
