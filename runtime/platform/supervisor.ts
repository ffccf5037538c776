import { open } from "node:fs/promises";
import { Client } from "undici";
import { HoldfastError } from "../errors.ts";
import { layout } from "./layout.ts";
import { encodeCall, parseAnswer, XmlFault, type XmlValue } from "./xmlrpc.ts";

/** supervisord's fault numbers that mean "already so" to one caller or another. */
export const faults = {
	SHUTDOWN_STATE: 6,
	BAD_NAME: 10,
	SPAWN_ERROR: 50,
	ALREADY_STARTED: 60,
	NOT_RUNNING: 70,
	ALREADY_ADDED: 90,
} as const;
const CALL_MS = 10_000;

/** State of one process as supervisord sees it: RUNNING also while hold waits or stands in. */
export interface SupervisedProcess {
	statename: "STOPPED" | "STARTING" | "RUNNING" | "BACKOFF" | "STOPPING" | "EXITED" | "FATAL" | "UNKNOWN";
	/** 0 unless the state is STARTING, RUNNING or STOPPING. */
	pid: number;
	/** Seconds since 1970 of the last start, and now. */
	start: number;
	now: number;
	/** Of the last end; 0 also when there was none. */
	exitstatus: number;
	/** Why it could not be started at all. */
	spawnerr: string;
}

/**
 * Calls a method of the stack's supervisord over its socket; 10 s at most. Throws XmlFault when it refuses, and
 * HF_UNREACHABLE when it does not answer.
 */
export async function call(stack: string, method: string, ...args: (string | boolean)[]): Promise<XmlValue> {
	const text = await post(stack, encodeCall(`supervisor.${method}`, args)).catch((cause) => {
		throw new HoldfastError("HF_UNREACHABLE", `the supervisord of stack ${stack} does not answer`, { cause });
	});
	return parseAnswer(text);
}

async function post(stack: string, body: string): Promise<string> {
	// Through the open folder the name of the socket stays short, however deep the folder lies.
	const folder = await open(layout.supervisor(stack), "r");
	const socketPath = `/proc/self/fd/${folder.fd}/sock`;
	const client = new Client("http://supervisord", { socketPath, headersTimeout: CALL_MS, bodyTimeout: CALL_MS });
	try {
		const signal = AbortSignal.timeout(CALL_MS);
		const headers = { "content-type": "text/xml" };
		const answer = await client.request({ method: "POST", path: "/RPC2", headers, body, signal });
		const text = await answer.body.text();
		if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}`);
		return text;
	} finally {
		await client.destroy();
		await folder.close();
	}
}

/** As `call`, but a fault among `tolerated` is an answer too. */
export async function callTolerating(
	tolerated: readonly number[],
	stack: string,
	method: string,
	...args: (string | boolean)[]
): Promise<XmlValue | undefined> {
	try {
		return await call(stack, method, ...args);
	} catch (error) {
		if (error instanceof XmlFault && tolerated.includes(error.code)) return undefined;
		if (!(error instanceof XmlFault)) throw error;
		throw new HoldfastError("HF_PROCESS", `supervisord of stack ${stack} refused ${method} ${args[0] ?? ""}`, {
			next: `see ${layout.supervisor(stack)}/supervisord.log`,
			cause: error,
		});
	}
}

/** Whether a supervisord answers that is not about to end. */
export async function answers(stack: string): Promise<boolean> {
	return call(stack, "getState").then(
		() => true,
		() => false,
	);
}

/** What supervisord says of a process `<member>:<program>`; `undefined` when it does not know it or does not answer. */
export async function supervised(stack: string, name: string): Promise<SupervisedProcess | undefined> {
	try {
		return (await call(stack, "getProcessInfo", name)) as unknown as SupervisedProcess;
	} catch {
		return undefined;
	}
}
