import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { HoldfastError } from "../errors.ts";
import { type AppOptions, buildApp } from "./http/app.ts";

export interface ServeOptions extends AppOptions {
	host: string;
	/** 0: the system chooses. */
	port: number;
	/** Milliseconds between /ready saying 503 and the last accepted connection. @default 0 */
	stopDelayMs?: number;
	/** Milliseconds that requests under way may take once no more are accepted. @default 10000 */
	drainMs?: number;
}

export interface Served {
	/** Where it listens. */
	url: string;
	port: number;
	/** Ends it in order; whether all requests under way were answered. Once begun, later calls wait for the same end. */
	stop(): Promise<boolean>;
}

const BACKLOG = 4096;
const IDLE_MS = 50;

/** The HTTP service, listening. Throws HF_PORT_IN_USE, or HF_SETTING for an address that this machine has not. */
export async function serve(options: ServeOptions): Promise<Served> {
	const { host, port } = options;
	const { http, service } = await buildApp(options);
	try {
		await http.listen({ host, port, backlog: BACKLOG });
	} catch (cause) {
		await http.close();
		throw listening(cause as NodeJS.ErrnoException, host, port);
	}
	const bound = http.server.address() as AddressInfo;
	const end = async (): Promise<boolean> => {
		service.stopping = true;
		await sleep(options.stopDelayMs ?? 0);
		const { server } = http;
		let drained = true;
		const deadline = setTimeout(() => {
			drained = false;
			server.closeAllConnections();
		}, options.drainMs ?? 10_000);
		// A connection that was answering when the server closed rests afterwards, and nobody else would end it.
		const idle = setInterval(() => server.closeIdleConnections(), IDLE_MS);
		await http.close();
		clearTimeout(deadline);
		clearInterval(idle);
		return drained;
	};
	let ended: Promise<boolean> | undefined;
	const name = host.includes(":") ? `[${host}]` : host;
	return {
		url: `http://${name}:${bound.port}`,
		port: bound.port,
		stop() {
			ended ??= end();
			return ended;
		},
	};
}

function listening(cause: NodeJS.ErrnoException, host: string, port: number): HoldfastError {
	const where = `${host}:${port}`;
	if (cause.code === "EADDRINUSE")
		return new HoldfastError("HF_PORT_IN_USE", `another process listens on ${where}`, {
			next: "stop it, or give another PORT",
		});
	if (cause.code === "EADDRNOTAVAIL" || cause.code === "ENOTFOUND")
		return new HoldfastError("HF_SETTING", `HOST: this machine has no address ${host}`, {
			next: "give one of its addresses, or 0.0.0.0",
		});
	if (cause.code === "EACCES")
		return new HoldfastError("HF_SETTING", `PORT: this user may not listen on ${where}`, {
			next: "give a PORT above 1023",
		});
	return new HoldfastError("HF_INTERNAL", `cannot listen on ${where} (${cause.code ?? cause.name})`);
}
