import { type ChildProcess, execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { long } from "../support/long.ts";
import { withMongo } from "../support/mongo.ts";
import { TestStack } from "../support/stack.ts";

jest.setTimeout(600_000);

afterAll(() => TestStack.destroyAll());

const users = { app: { database: "users", roles: [{ role: "readWrite", db: "workflows" }] } };

/** Runs `up` until it hangs at a failpoint; the mark proves that it got there. */
async function upTo(stack: TestStack, failpoint: string): Promise<ChildProcess> {
	const mark = join(stack.home, "failpoint");
	rmSync(mark, { force: true });
	const child = stack.start({ HOLDFAST_FAILPOINT: failpoint }, "up");
	let said = "";
	for (const stream of [child.stdout!, child.stderr!])
		stream.on("data", (chunk) => {
			said += chunk;
		});
	for (const end = Date.now() + 90_000; !existsSync(mark); await sleep(50)) {
		if (Date.now() > end || child.exitCode !== null) throw new Error(`up did not reach ${failpoint}: ${said}`);
	}
	expect(readFileSync(mark, "utf8")).toContain(failpoint);
	return child;
}

/** Pids below a process, deepest last. */
function descendants(pid: number): number[] {
	const children = execFileSync("ps", ["-o", "pid=,ppid=", "-A"], { encoding: "utf8" })
		.trim()
		.split("\n")
		.map((line) => line.trim().split(/\s+/).map(Number))
		.filter(([, parent]) => parent === pid)
		.map(([child]) => child!);
	return children.flatMap((child) => [child, ...descendants(child)]);
}

const commandOf = (pid: number): string => {
	try {
		return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
	} catch {
		return "";
	}
};

/** Kills holdfast and Pulumi as the kernel would; the provider is left behind, still at work. */
async function killUp(child: ChildProcess): Promise<number[]> {
	const all = descendants(child.pid!);
	const pulumi = all.filter((pid) => commandOf(pid).startsWith("pulumi up "));
	expect(pulumi).toHaveLength(1);
	const gone = new Promise((resolve) => child.once("close", resolve));
	for (const pid of [...pulumi, child.pid!]) process.kill(pid, "SIGKILL");
	child.stdout?.destroy();
	child.stderr?.destroy();
	await Promise.race([gone, sleep(2000)]);
	return all.filter((pid) => commandOf(pid).includes("dynamic-provider"));
}

async function converged(stack: TestStack, members: number): Promise<void> {
	const { stdout } = await stack.must("up");
	expect(stdout).toContain(`whole: ${members} member(s)`);
	expect(await stack.changes()).toEqual({ same: expect.any(Number) });
	const { stdout: state } = await stack.pulumi("stack", "export");
	expect(JSON.parse(state).deployment.pending_operations ?? []).toEqual([]);
	await withMongo(await stack.uri("app"), (client) => client.db("workflows").collection("x").insertOne({}));
}

const first = [
	"mongo/initiated",
	...(long ? ["mongo/initiating", "mongo/admin", "mongo/reconfigured"] : ["mongo/admin"]),
];

test.each(first)("up killed at %s of the first build goes on with the next up", async (failpoint) => {
	const stack = await TestStack.create("kill", { users });
	const child = await upTo(stack, failpoint);
	const [provider] = await killUp(child);
	expect(commandOf(provider!)).toContain("dynamic-provider");
	const ids = await idsOf(stack);
	await converged(stack, 3);
	expect(commandOf(provider!)).toBe("");
	// Never initiated a second time.
	if (ids !== undefined) expect(stack.record().replicaSetId).toBe(ids);
	await stack.destroy();
});

/** Id that the seed has before the next run: read over the key file, as the runtime would. */
async function idsOf(stack: TestStack): Promise<string | undefined> {
	const { keys } = stack.record();
	const uri = `mongodb://__system:${encodeURIComponent(keys[0]!)}@127.0.0.1:${stack.basePort}/?authSource=local&authMechanism=SCRAM-SHA-256&directConnection=true`;
	return withMongo(uri, async (client) => {
		try {
			const { config } = await client.db("admin").command({ replSetGetConfig: 1 });
			return String(config.settings.replicaSetId);
		} catch {
			return undefined;
		}
	});
}

test("up killed in the middle of a scale and of a roll goes on with the next up; Ctrl-C and a second up are clean", async () => {
	const stack = await TestStack.create("mid", { users });
	await stack.must("up");
	const { replicaSetId } = stack.record();

	stack.configure({ members: 5 });
	await killUp(await upTo(stack, "mongo/reconfigured"));
	await converged(stack, 5);

	stack.configure({ members: 3, cacheSizeGB: 0.3 });
	const child = await upTo(stack, "mongo/restarting");

	// While it hangs there, another up must not start, and must say who is at work.
	const second = await stack.holdfast("up");
	expect([second.code, second.stderr]).toEqual([8, expect.stringMatching(/HF_LOCKED.*process \d+/)]);
	await killUp(child);
	await converged(stack, 3);

	stack.configure({ cacheSizeGB: 0.35 });
	const interrupted = stack.start({}, "up");
	let said = "";
	interrupted.stdout!.on("data", (chunk) => {
		said += chunk;
	});
	interrupted.stderr!.on("data", (chunk) => {
		said += chunk;
	});
	while (!said.includes("updating")) await sleep(50);
	process.kill(-interrupted.pid!, "SIGINT");
	await new Promise((resolve) => interrupted.once("close", resolve));
	await converged(stack, 3);
	expect(stack.record().replicaSetId).toBe(replicaSetId);
	await stack.destroy();
});
