import { NodeFailure } from "./failure.ts";
import type { FailureCode, RedisNode } from "./port.ts";
import type { NodeResult } from "./store.ts";

/** Of all nodes: most writes go well, so that result is made once. */
const written = new WeakMap<RedisNode, NodeResult>();

export function okResult(node: RedisNode): NodeResult {
	const known = written.get(node);
	if (known) return known;
	const result: NodeResult = Object.freeze({ ...named(node), success: true, outcome: "ok" });
	written.set(node, result);
	return result;
}

export function failedResult(node: RedisNode, code: FailureCode): NodeResult {
	return { ...named(node), success: false, outcome: "failed", code };
}

/** Of a call that rejected, or with nothing of one that has not been answered. */
export function failureResult(node: RedisNode, failure?: unknown): NodeResult {
	if (!(failure instanceof NodeFailure))
		return { ...named(node), success: false, outcome: "unknown", code: failure ? "UNREACHABLE" : "TIMEOUT" };
	return { ...named(node), success: false, outcome: failure.outcome, code: failure.code };
}

function named({ name }: RedisNode): Pick<NodeResult, "node" | "nodeIp"> {
	return { node: name, nodeIp: name.slice(0, name.lastIndexOf(":")) };
}
