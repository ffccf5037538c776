import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { long } from "../support/long.ts";
import { TestStack } from "../support/stack.ts";

jest.setTimeout(600_000);

let stack: TestStack;

beforeAll(async () => {
	stack = await TestStack.create("super", {});
	await stack.must("up");
});
afterAll(() => TestStack.destroyAll());

const supervisor = (): number => Number(readFileSync(join(stack.home, stack.name, "supervisor", "pid"), "utf8"));

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
	process.kill(supervisor(), "SIGKILL");
	await gone(supervisor());
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
	process.kill(pid, "SIGKILL");
	const thief = await take(stack.basePort + 1);
	await sleep(long ? 60_000 : 6000);
	const { code, stdout } = await stack.holdfast("status");
	expect(code).toBe(4);
	expect(stdout).toMatch(/rs0-1 is (backing-off|starting)/);
	expect(stdout).toContain(String(process.pid));
	await new Promise((resolve) => thief.close(resolve));
	await stack.whole(long ? 180_000 : 90_000);
	expect(stack.pid(1)).not.toBe(pid);
});

/** Takes a port as soon as it is free, before supervisord's next start. */
async function take(port: number): Promise<Server> {
	for (;;) {
		const server = createServer();
		const taken = await new Promise<boolean>((resolve) => {
			server.once("error", () => resolve(false));
			server.listen(port, "127.0.0.1", () => resolve(true));
		});
		if (taken) return server;
	}
}
