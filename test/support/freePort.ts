import { createServer } from "node:net";

/**
 * Below those that the system gives to connections, which may take the port of a server that rests; and a range for each
 * of jest's workers, because it may be another test's server that rests.
 */
const PORTS = 2_500;
const FIRST_PORT = 20_000 + PORTS * (Number(process.env.JEST_WORKER_ID ?? 0) % 4);

/** Of this test file, also those that are not used yet. */
const given = new Set<number>();

/** A port that is free on all addresses, and given to nobody else. */
export const freePort = (): Promise<number> => freePorts(1);

/** The first of `count` such ports in a row. */
export async function freePorts(count: number): Promise<number> {
	for (let tries = 0; tries < 100; tries++) {
		const base = FIRST_PORT + Math.floor(Math.random() * (PORTS - count));
		const ports = [...Array(count).keys()].map((offset) => base + offset);
		if (ports.some((port) => given.has(port))) continue;
		for (const port of ports) given.add(port);
		if ((await Promise.all(ports.map(isFree))).every(Boolean)) return base;
	}
	throw new Error(`no ${count} free ports in a row`);
}

const isFree = (port: number): Promise<boolean> =>
	new Promise((resolve) => {
		const server = createServer();
		server.once("error", () => resolve(false));
		// On every address: members of other clusters listen on loopback addresses of their own.
		server.listen(port, "0.0.0.0", () => server.close(() => resolve(true)));
	});
