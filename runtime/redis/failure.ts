import type { FailureCode } from "./port.ts";

/**
 * Why a node did not do what it was asked. `failed`: it certainly had no effect; `unknown`: it was sent and not
 * answered, so it may have had. One is shared by all calls of a batch. The message never holds keys or values.
 */
export class NodeFailure extends Error {
	override readonly name = "NodeFailure";
	readonly node: string;
	readonly outcome: "failed" | "unknown";
	readonly code: FailureCode;

	constructor(node: string, code: FailureCode, outcome: "failed" | "unknown", why: string) {
		super(`${node}: ${why}`);
		this.node = node;
		this.code = code;
		this.outcome = outcome;
	}

	/** Whether it speaks against the node as a whole: only that opens its breaker. */
	get isOutage(): boolean {
		return this.code === "UNREACHABLE" || this.code === "TIMEOUT";
	}
}

/** Not serving at the moment, for reasons that pass. */
const passing = new Set(["LOADING", "BUSY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN"]);

/**
 * An error reply as a failure. Redis 7 puts its code first, 6.2 wraps it inside a script
 * (`... @user_script: 5: -OOM command not allowed ...`). Only the code goes into the message: what follows may quote
 * arguments.
 */
export function refusal(node: string, reply: string): NodeFailure {
	const code = (/-([A-Z]{3,})\b/.exec(reply) ?? /^([A-Z]{3,})\b/.exec(reply))?.[1] ?? "ERR";
	if (code === "OOM")
		return new NodeFailure(node, "OUT_OF_MEMORY", "failed", "is full (maxmemory); free memory or raise its limit");
	if (passing.has(code)) return new NodeFailure(node, "UNREACHABLE", "failed", `is not serving yet (${code})`);
	return new NodeFailure(node, "REFUSED", "failed", `refused the command (${code})`);
}
