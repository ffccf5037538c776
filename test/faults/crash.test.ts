import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { long } from "../support/long.ts";
import { primaryOf, termOf } from "../support/mongo.ts";
import { TestStack } from "../support/stack.ts";
import { lostWrites, Writers } from "../support/writers.ts";

jest.setTimeout(600_000);

const users = { app: { database: "users", roles: [{ role: "readWrite", db: "workflows" }] } };
const rounds = long ? 5 : 1;
let stack: TestStack;

beforeAll(async () => {
	stack = await TestStack.create("crash", { users, electionTimeoutMillis: 2000 });
	await stack.must("up");
});
afterAll(() => TestStack.destroyAll());

interface Fault {
	name: string;
	target: "primary" | "secondary";
	/** Makes it happen; resolves when the process may go on. */
	inject: (pid: number) => Promise<void>;
	/** Whether the target got another pid. */
	restarts: boolean;
}

const kill = async (pid: number) => void process.kill(pid, "SIGKILL");
const freeze = (ms: number) => async (pid: number) => {
	process.kill(pid, "SIGSTOP");
	await sleep(100);
	expect(readFileSync(`/proc/${pid}/stat`, "utf8")).toMatch(/\) T /);
	await sleep(ms);
	process.kill(pid, "SIGCONT");
};
const faults: Fault[] = [
	{ name: "SIGKILL", target: "secondary", inject: kill, restarts: true },
	{ name: "SIGKILL", target: "primary", inject: kill, restarts: true },
	{ name: "SIGSTOP", target: "secondary", inject: freeze(5000), restarts: false },
	{ name: "SIGSTOP", target: "primary", inject: freeze(long ? 40_000 : 8000), restarts: false },
];

let collection = 0;

async function strike({ target, inject, restarts }: Fault) {
	await stack.whole();
	const record = stack.record();
	const primary = await primaryOf(record);
	const host = target === "primary" ? primary : record.hosts.find((one) => one !== primary)!;
	const slot = record.hosts.indexOf(host);
	const pid = stack.pid(slot);
	const term = await termOf(record);
	const name = `acks${collection++}`;
	const writers = new Writers(await stack.uri("app"), { collection: name });
	await writers.progress(200);
	writers.mark();
	await inject(pid);
	await writers.progress(200, 120_000);
	await stack.whole();
	const report = await writers.stop();
	// The fault must have bitten.
	if (restarts) expect(existsSync(`/proc/${pid}`)).toBe(false);
	if (target === "primary") expect(await termOf(record)).toBeGreaterThan(term);
	return { report, lost: await lostWrites(record, record.hosts, report.acknowledged, { collection: name }), record };
}

test.each(
	faults,
)("$name of the $target under majority writes loses nothing, and the set is whole again by itself", async (fault) => {
	for (let round = 0; round < rounds; round++) {
		const { report, lost, record } = await strike(fault);
		process.stderr.write(
			`${fault.name} of the ${fault.target}: ${report.acknowledged.length} acknowledged, longest gap ${report.longestGapMs} ms, ` +
				`${report.errors.length} errors reached the application\n`,
		);
		expect(report.acknowledged.length).toBeGreaterThan(400);
		expect(lost).toEqual(Object.fromEntries(record.hosts.map((host) => [host, []])));
	}
});
