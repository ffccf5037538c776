import type { FastifyRequest } from "fastify";
import { type Code, HoldfastError } from "../../errors.ts";
import { type ErrorCode, errorBody, Refusal } from "./errors.ts";
import type { Handler, Service } from "./service.ts";

export const listNodes =
	({ store }: Service): Handler =>
	() => ({ nodes: store.nodes() });

/** The truth about reads and writes; who shows no key learns the status alone. */
export const health =
	(service: Service): Handler =>
	(request, reply) => {
		const report = service.store.health();
		reply.statusCode = report.status === "down" ? 503 : 200;
		return request.keyIndex < 0 ? { status: report.status } : report;
	};

export const ready =
	(service: Service): Handler =>
	(_request, reply) => {
		if (!service.stopping && service.store.health().status !== "down") return { ready: true };
		reply.statusCode = 503;
		return errorBody(service.stopping ? "STOPPING" : "NOT_READY");
	};

export const metricsText =
	({ metrics }: Service): Handler =>
	async (_request, reply) => {
		reply.header("content-type", metrics.contentType);
		return metrics.text();
	};

const CODES: Partial<Record<Code, ErrorCode>> = {
	HF_UNREACHABLE: "UNAVAILABLE",
	HF_NOT_READY: "UNAVAILABLE",
	HF_DEADLINE: "UNAVAILABLE",
	HF_USAGE: "NOT_HELD",
};

/** What the manager refuses an operator it says in a sentence of its own, made for operators. */
async function operated<T>(work: Promise<T>): Promise<T> {
	try {
		return await work;
	} catch (error) {
		if (!(error instanceof HoldfastError)) throw error;
		const said = error.message.slice(`${error.code}: `.length);
		throw new Refusal(CODES[error.code] ?? "REFUSED", `${said}.`);
	}
}

/** Rounds take as long as there is data, and nothing is sent meanwhile. A request that was injected has no real socket. */
const patient = ({ raw }: FastifyRequest): unknown => raw.socket.setTimeout?.(0);

export const divergence =
	({ store, metrics }: Service): Handler =>
	async (request) => {
		patient(request);
		const found = await operated(store.divergence());
		metrics.diverged(found);
		return found;
	};

export const sync =
	({ store }: Service): Handler =>
	(request) => {
		patient(request);
		return operated(store.sync());
	};

export const admit =
	({ store }: Service): Handler =>
	async (request) => {
		const { node } = request.params as { node: string };
		const { action } = request.body as { action: "merge" | "wipe" };
		if (!store.nodes().some((report) => report.node === node))
			throw new Refusal("NO_NODE", "No node of this name is registered: names are ip:port, see /nodes.");
		await operated(store.admit(node, action));
		return { node, action, accepted: true };
	};
