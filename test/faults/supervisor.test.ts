import { createServer, type Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { findDaemon } from "../../runtime/platform/daemon.ts";
import { long } from "../support/long.ts";
import { TestStack } from "../support/stack.ts";

jest.setTimeout(300_000);

let stack: TestStack;

beforeAll(async () => {
	stack = await TestStack.create("super", {});
	await stack.must("up");
});
afterAll(() => TestStack.destroyAll());

async function supervisor(): Promise<number> {
	process.env.HOLDFAST_HOME = stack.home;
	return (await findDaemon(stack.name))!;
}

async function gone(pid: number): Promise<void> {
	for (let i = 0; i < 100; i++, await sleep(100)) {
		try {
			process.kill(pid, 0);
		} catch {
			return;
		}
	}
	throw new Error(`process ${pid} is still there`);
}

test("members outlive a killed supervisord; refresh shows it, up takes them over without a restart", async () => {
	const pids = [0, 1, 2].map((slot) => stack.pid(slot));
	const killed = await supervisor();
	process.kill(killed, "SIGKILL");
	await gone(killed);
	expect([0, 1, 2].map((slot) => stack.pid(slot))).toEqual(pids);
	const { stdout } = await stack.must("refresh");
	expect(stdout).toContain("stopped");
	const { update } = await stack.changes();
	expect(update).toBeGreaterThan(0);
	expect([0, 1, 2].map((slot) => stack.pid(slot))).toEqual(pids);
	await stack.whole();
	// It really is in charge again.
	process.kill(pids[2]!, "SIGKILL");
	await gone(pids[2]!);
	await stack.whole();
	expect(stack.pid(2)).not.toBe(pids[2]);
});

test("a port that is taken for a while heals by itself, and status says who has it meanwhile", async () => {
	const pid = stack.pid(1);
	const thief = await steal(1);
	await sleep(long ? 60_000 : 6000);
	const { code, stdout } = await stack.holdfast("status");
	expect(code).toBe(4);
	expect(stdout).toMatch(/rs0-1 is (backing-off|starting)/);
	expect(stdout).toContain(String(process.pid));
	await new Promise((resolve) => thief.close(resolve));
	await stack.whole(long ? 180_000 : 90_000);
	expect(stack.pid(1)).not.toBe(pid);
});

/** Kills a member until its port is ours: its first restart comes at once, the later ones wait longer and longer. */
async function steal(slot: number): Promise<Server> {
	for (let tries = 0; tries < 600; tries++) {
		const taken = await listen(stack.basePort + slot);
		if (taken) return taken;
		if (tries % 10 === 0) process.kill(stack.pid(slot), "SIGKILL");
		await sleep(20);
	}
	throw new Error("the port was never free");
}

function listen(port: number): Promise<Server | undefined> {
	// The other members go on knocking: a connection that stays would keep the server from closing.
	const server = createServer((socket) => socket.destroy());
	return new Promise((resolve) => {
		server.once("error", () => resolve(undefined));
		server.listen(port, "127.0.0.1", () => resolve(server));
	});
}
