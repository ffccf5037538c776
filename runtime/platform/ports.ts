import { createServer } from "node:net";
import { HoldfastError } from "../errors.ts";
import type { Address } from "./model.ts";
import { hostport } from "./model.ts";
import { commandOf, listenersOf, parentOf, uses } from "./proc.ts";

/**
 * Fails unless a server could listen on the address: HF_PORT_IN_USE names the owner of the port, HF_SETTING says
 * that the host is not of this machine.
 */
export async function checkFree(member: string, address: Address): Promise<void> {
	const error = await tryListen(address);
	if (error === undefined) return;
	if (error.code === "EADDRINUSE") throw await inUse(member, address);
	const reason =
		error.code === "EACCES" ? "may not be used by this user" : `is not an address of this machine (${error.code})`;
	throw new HoldfastError("HF_SETTING", `member ${member}: ${hostport(address)} ${reason}`, { cause: error });
}

function tryListen({ host, port }: Address): Promise<NodeJS.ErrnoException | undefined> {
	return new Promise((resolve) => {
		const server = createServer();
		server.once("error", resolve);
		server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
	});
}

async function inUse(member: string, address: Address): Promise<HoldfastError> {
	const [pid] = await listenersOf(address.port);
	const owner =
		pid === undefined ? "a process of another user" : `process ${pid} (${(await commandOf(pid)) ?? "unknown"})`;
	return new HoldfastError(
		"HF_PORT_IN_USE",
		`member ${member}: port ${address.port} on ${address.host} is in use by ${owner}`,
		{
			next: "stop the owner of the port, or change the ports in the stack's configuration",
		},
	);
}

/**
 * Pid of the process that listens on `port` and has files open in `folder`. HF_FOREIGN when another supervisord
 * keeps it: two would fight over it.
 */
export async function findOccupant(folder: string, port: number, ownDaemon?: number): Promise<number | undefined> {
	for (const pid of await listenersOf(port)) {
		if (!(await uses(pid, folder))) continue;
		const parent = await parentOf(pid);
		if (parent === undefined || parent === ownDaemon) return pid;
		if (!(await commandOf(parent))?.includes("supervisord")) return pid;
		throw new HoldfastError(
			"HF_FOREIGN",
			`process ${pid} in ${folder} is kept by another supervisord, process ${parent}`,
			{
				next: `end that with kill -9 ${parent}, which leaves its members running, and run the command again`,
			},
		);
	}
	return undefined;
}
