import { createClient, ErrorReply } from "@redis/client";
import { HoldfastError } from "../errors.ts";
import { hostport } from "../platform/model.ts";
import { ADMIN_USER, NODE_USER } from "./aclFile.ts";
import type { RedisMemberInputs } from "./clusterArguments.ts";

const CONNECT_MS = 3000;
const COMMAND_MS = 10_000;

type Send = (command: readonly string[]) => Promise<unknown>;

/**
 * Runs `fn` on a connection of its own to one node. HF_UNREACHABLE when it does not answer, HF_CREDENTIALS when it
 * refuses the login, HF_REJECTED when it refuses a command.
 */
async function withLogin<T>(
	{ name, address }: RedisMemberInputs,
	login: { username: string; password: string },
	fn: (send: Send) => Promise<T>,
): Promise<T> {
	const socket = {
		...address,
		connectTimeout: CONNECT_MS,
		socketTimeout: COMMAND_MS,
		reconnectStrategy: false,
	} as const;
	const client = createClient({ socket, ...login, disableClientInfo: true });
	// What it says is thrown where it is waited for; without a listener it would end the process.
	client.on("error", () => {});
	try {
		await client.connect();
		return await fn((command) => client.sendCommand([...command]));
	} catch (cause) {
		throw failure(name, hostport(address), login.username, cause);
	} finally {
		if (client.isOpen) client.destroy();
	}
}

function failure(name: string, at: string, user: string, cause: unknown): unknown {
	if (cause instanceof HoldfastError) return cause;
	const code = cause instanceof ErrorReply ? cause.message.split(" ")[0] : undefined;
	if (code === "WRONGPASS" || code === "NOAUTH")
		return new HoldfastError("HF_CREDENTIALS", `${name} (${at}) refuses the login of ${user}`);
	if (code === undefined || code === "LOADING")
		return new HoldfastError("HF_UNREACHABLE", `${name} does not answer at ${at}`, { cause });
	return new HoldfastError("HF_REJECTED", `${name} (${at}) refuses a command of ${user} (${code})`);
}

/** Makes a node read its users' file; it ends the managers' connections, which come back at once. */
export async function loadUsers(node: RedisMemberInputs, adminPassword: string): Promise<void> {
	await withLogin(node, { username: ADMIN_USER, password: adminPassword }, (send) => send(["ACL", "LOAD"]));
}

/** `appendfsync` as it is in force. */
export async function appendfsyncOf(node: RedisMemberInputs, adminPassword: string): Promise<string> {
	return withLogin(node, { username: ADMIN_USER, password: adminPassword }, async (send) => {
		const found = (await send(["CONFIG", "GET", "appendfsync"])) as Record<string, string> | string[];
		return Array.isArray(found) ? found[1]! : found.appendfsync!;
	});
}

/** Redis version, e.g. "7.0.15". */
export async function versionOf(node: RedisMemberInputs, adminPassword: string): Promise<string> {
	return withLogin(node, { username: ADMIN_USER, password: adminPassword }, async (send) => {
		const info = String(await send(["INFO", "server"]));
		return /^redis_version:(\S+)/m.exec(info)![1]!;
	});
}

/** Whether a node lets the managers in with this password. Throws when it does not answer. */
export async function acceptsManagers(node: RedisMemberInputs, nodePassword: string): Promise<boolean> {
	try {
		await withLogin(node, { username: NODE_USER, password: nodePassword }, (send) => send(["PING"]));
		return true;
	} catch (error) {
		if (error instanceof HoldfastError && error.code === "HF_CREDENTIALS") return false;
		throw error;
	}
}
