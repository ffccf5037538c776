import { spawn } from "node:child_process";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { hostport } from "../../../runtime/platform/model.ts";
import { checkFree } from "../../../runtime/platform/ports.ts";
import {
	born,
	commandOf,
	identify,
	isAlive,
	listenersOf,
	listensOn,
	parentOf,
	parseListeners,
	usersOf,
} from "../../../runtime/platform/proc.ts";

const listen = (host: string): Promise<Server> =>
	new Promise((resolve, reject) => {
		const server = createServer();
		server.once("error", reject).listen(0, host, () => resolve(server));
	});
const portOf = (server: Server) => (server.address() as { port: number }).port;
const close = (server: Server) => new Promise((resolve) => server.close(resolve));

test("only listening sockets on the port count", () => {
	const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:6989 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0 100 0 0 10 0
   1: 0100007F:6989 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 222 1 0 20 4 30 10 -1
   2: 0100007F:698A 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1 0 100 0 0 10 0
`;
	expect(parseListeners(table, 0x6989)).toEqual(["socket:[111]"]);
	expect(parseListeners("", 1)).toEqual([]);
});

test.each(["127.0.0.1", "::1", "0.0.0.0"])("the owner of a port on %s is found", async (host) => {
	const server = await listen(host);
	const port = portOf(server);
	expect(await listenersOf(port)).toContain(process.pid);
	expect(await listensOn(process.pid, port)).toBe(true);
	expect(await listensOn(process.ppid, port)).toBe(false);
	await close(server);
	expect(await listenersOf(port)).toEqual([]);
});

test("a port in use is refused by name, a free one is left free", async () => {
	const server = await listen("127.0.0.1");
	const address = { host: "127.0.0.1", port: portOf(server) };
	await expect(checkFree("m-0", address)).rejects.toThrow(
		new RegExp(`HF_PORT_IN_USE: member m-0: port ${address.port} .*process ${process.pid} \\(.*node.*change the ports`),
	);
	await close(server);
	await checkFree("m-0", address);
	await checkFree("m-0", address);
});

test("an address of another machine is a wrong setting", async () => {
	await expect(checkFree("m-0", { host: "192.0.2.7", port: 27017 })).rejects.toThrow("HF_SETTING");
	expect(hostport({ host: "::1", port: 1 })).toBe("[::1]:1");
});

test("a process is told from a later one with its pid, and a dead one from a live one", async () => {
	const child = spawn("sleep", ["60"], { cwd: tmpdir() });
	const identity = (await identify(child.pid!))!;
	expect(await isAlive(identity)).toBe(true);
	expect(await isAlive({ ...identity, born: "1" })).toBe(false);
	expect(await isAlive({ ...identity, boot: "another" })).toBe(false);
	expect(await parentOf(child.pid!)).toBe(process.pid);
	expect(await commandOf(child.pid!)).toBe("sleep 60");
	expect(await usersOf(tmpdir())).toContain(child.pid);
	const ended = new Promise((resolve) => child.once("exit", resolve));
	child.kill("SIGKILL");
	await ended;
	expect(await isAlive(identity)).toBe(false);
});

test("a process that waits to be reaped is dead", async () => {
	// The shell becomes a program that never waits for its child.
	const parent = spawn("/bin/sh", ["-c", "sleep 0.2 & echo $!; exec sleep 60"], {
		stdio: ["ignore", "pipe", "ignore"],
	});
	const pid = Number(await new Promise((resolve) => parent.stdout.once("data", resolve)));
	expect(await born(pid)).toBeDefined();
	await new Promise((resolve) => setTimeout(resolve, 600));
	expect(await commandOf(pid)).toBeUndefined();
	expect(await born(pid)).toBeUndefined();
	parent.kill("SIGKILL");
});
