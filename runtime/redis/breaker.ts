import {
	BrokenCircuitError,
	CircuitState,
	ConsecutiveBreaker,
	circuitBreaker,
	ExponentialBackoff,
	handleWhen,
} from "cockatiel";
import { NodeFailure } from "./failure.ts";

/** Outages in a row after which a node is left alone. */
const outages = 5;

/**
 * Circuit breaker of one node: after some outages in a row every call fails at once, so that a node that hangs costs
 * nothing. Only a probe goes through, the sooner the shorter it has been away (0.25 s doubling to 2 s), and closes it.
 */
export class Breaker {
	readonly #policy = circuitBreaker(
		handleWhen((error) => error instanceof NodeFailure && error.isOutage),
		{
			breaker: new ConsecutiveBreaker(outages),
			halfOpenAfter: new ExponentialBackoff({ initialDelay: 250, maxDelay: 2000 }),
		},
	);
	/** What every call fails with while it is open. */
	readonly failure: NodeFailure;

	constructor(node: string, onOpen: () => void) {
		this.failure = new NodeFailure(
			node,
			"BREAKER_OPEN",
			"failed",
			"has failed repeatedly and is left alone for a while",
		);
		this.#policy.onBreak(onOpen);
	}

	get isClosed(): boolean {
		return this.#policy.state === CircuitState.Closed;
	}

	/** A call that counts; refused unless the breaker is closed. */
	run<T>(call: () => Promise<T>): Promise<T> {
		return this.isClosed ? this.#policy.execute(call) : Promise.reject(this.failure);
	}

	/** A call that is also made when the breaker is open and a probe is due. */
	async probe<T>(call: () => Promise<T>): Promise<T> {
		try {
			return await this.#policy.execute(call);
		} catch (error) {
			throw error instanceof BrokenCircuitError ? this.failure : error;
		}
	}
}
