import { isIPv4 } from "node:net";
import { type Address, nameOf, parseAddress } from "./source.ts";

/** What one look at a source brought. A `problem` says what was wrong and where, and quotes nothing of the answer. */
export type Answer =
	/** Sorted by address, then port, as numbers; without duplicates; never empty. */
	| { kind: "list"; addresses: readonly Address[] }
	| { kind: "empty" }
	| { kind: "malformed"; problem: string }
	| { kind: "unavailable"; problem: string };

export interface Ports {
	/** Instead of every port in the answer. @default the port in the answer */
	instead?: number;
	/** Where the answer has none. */
	missing: number;
}

/** An answer of texts like `1.2.3.4:6379`; `where` names the i-th in a problem. One that is none spoils all of it. */
export function answerOf(texts: readonly string[], ports: Ports, where: (i: number) => string): Answer {
	if (texts.length === 0) return { kind: "empty" };
	const found = new Map<string, Address>();
	for (const [i, text] of texts.entries()) {
		const parsed = parseAddress(text);
		if (!parsed) return { kind: "malformed", problem: `${where(i)} is not an IP address with or without a port` };
		const address = { ip: canonical(parsed.ip), port: ports.instead ?? parsed.port ?? ports.missing };
		found.set(nameOf(address), address);
	}
	return { kind: "list", addresses: [...found.values()].sort(byNumber) };
}

/** One text for each address: IPv6 can be written in many ways. */
const canonical = (ip: string): string => (isIPv4(ip) ? ip : new URL(`http://[${ip}]`).hostname.slice(1, -1));

function byNumber(a: Address, b: Address): number {
	const [left, right] = [numbers(a), numbers(b)];
	const at = left.findIndex((number, i) => number !== right[i]);
	return at < 0 ? 0 : left[at]! - right[at]!;
}

/** IPv4 before IPv6, then part by part, then the port. */
function numbers({ ip, port }: Address): number[] {
	if (isIPv4(ip)) return [4, ...ip.split(".").map(Number), port];
	const [head = "", tail] = ip.split("::").map((side) => side.split(":").filter((group) => group !== ""));
	const zeros = tail === undefined ? 0 : 8 - head.length - tail.length;
	const groups = [...head, ...Array<string>(zeros).fill("0"), ...(tail ?? [])];
	return [6, ...groups.map((group) => Number.parseInt(group, 16)), port];
}
