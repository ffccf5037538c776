import { type Address, hostport } from "../platform/model.ts";
import type { NodeReport } from "./store.ts";

/** What one manager says of the nodes; `silent` why it says nothing. */
export type Seen = { manager: string } & (
	| { nodes: readonly NodeReport[]; silent?: undefined }
	| { nodes?: undefined; silent: string }
);

/** What keeps a cluster from being whole. */
export interface Lack {
	/** In words, to go behind "waiting for". */
	why: string;
	/** What a person has to do, where waiting alone may be no use. */
	next?: string;
}

interface Declared {
	name: string;
	address: Address;
}

/** Whether every manager sees the declared nodes, no others, and all of them ready; the first thing that is not so. */
export function lacking(declared: readonly Declared[], seen: readonly Seen[]): Lack | undefined {
	for (const said of seen) {
		const lack = ofManager(declared, said);
		if (lack) return lack;
	}
	return undefined;
}

function ofManager(declared: readonly Declared[], { manager, nodes, silent }: Seen): Lack | undefined {
	if (!nodes) return { why: `an answer of ${manager} (${silent})` };
	const reports = new Map(nodes.map((report) => [report.node, report]));
	for (const { name, address } of declared) {
		const report = reports.get(hostport(address));
		if (!report) return { why: `${manager} to know ${name}` };
		if (report.state === "held") return held(name, manager, report);
		if (report.state !== "ready") return { why: `${name} to be ready in ${manager} (${inWords(report)})` };
	}
	const names = declared.map(({ address }) => hostport(address));
	const other = nodes.find(({ node }) => !names.includes(node));
	return other && { why: `${manager} to let ${other.node} go (${inWords(other)})` };
}

const inWords = ({ state, reason }: NodeReport): string => (reason === undefined ? state : `${state}: ${reason}`);

const held = (name: string, manager: string, { node, reason }: NodeReport): Lack => ({
	why: `a decision over ${name}, which ${manager} holds out${reason === undefined ? "" : ` (${reason})`}`,
	next: `see docs/runbook.md, "A Redis node is held out": POST /admin/nodes/${node} says whether to merge or wipe what it has`,
});

/** Which of `leaving` a manager still counts, or cannot be asked about; nothing when all are free to go. */
export function remaining(leaving: readonly Declared[], seen: readonly Seen[]): string | undefined {
	for (const { manager, nodes, silent } of seen) {
		if (!nodes) return `an answer of ${manager} (${silent})`;
		const left = leaving.find(({ address }) => nodes.some(({ node }) => node === hostport(address)));
		if (left) return `${manager} to have all that ${left.name} has`;
	}
	return undefined;
}

/** Those that are ready in every manager that answers; nobody where none does. */
export function serving<T extends Declared>(declared: readonly T[], seen: readonly Seen[]): T[] {
	const said = seen.flatMap(({ nodes }) => (nodes ? [nodes] : []));
	if (said.length === 0) return [];
	const isReady = ({ address }: Declared) =>
		said.every((nodes) => nodes.some(({ node, state }) => node === hostport(address) && state === "ready"));
	return declared.filter(isReady);
}
