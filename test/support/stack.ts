import { execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stringify } from "yaml";
import { freePorts } from "./freePort.ts";
import { root } from "./node.ts";

export interface Result {
	code: number;
	stdout: string;
	stderr: string;
}

type Systems = Partial<Record<"mongo" | "postgres" | "redis", Record<string, unknown>>>;

/** A stack of its own: home in a temporary folder, free ports, quick stops; driven through the command line. */
export class TestStack {
	readonly name: string;
	readonly home: string;
	readonly basePort: number;
	readonly config: string;
	#systems: Systems;

	private constructor(name: string, home: string, basePort: number, systems: Systems) {
		this.name = name;
		this.home = home;
		this.basePort = basePort;
		this.config = join(root, "stacks", "config", `Pulumi.${name}.yaml`);
		this.#systems = systems;
	}

	static readonly #standing = new Set<TestStack>();
	static #count = 0;

	/** Takes down what a failed test left standing; use it in afterAll. */
	static async destroyAll(): Promise<void> {
		const failures = await Promise.allSettled([...TestStack.#standing].map((stack) => stack.destroy()));
		for (const failure of failures) if (failure.status === "rejected") throw failure.reason;
	}

	/** A stack with a replica set. */
	static async create(label: string, mongo: Record<string, unknown> = {}): Promise<TestStack> {
		return TestStack.#make(label, 10, (basePort) => ({
			mongo: { members: 3, basePort, shutdownTimeoutMillis: 500, ...mongo },
		}));
	}

	/** A stack with a Patroni cluster `pg0` whose failover is quick; ports from `basePort` on, five of each sort. */
	static async createPostgres(label: string, postgres: Record<string, unknown> = {}): Promise<TestStack> {
		return TestStack.#make(label, 25, (base) => {
			const ports = { postgres: base, patroni: base + 5, etcdClient: base + 10, etcdPeer: base + 11 };
			return { postgres: { members: 3, profile: "fast", ports, ...postgres } };
		});
	}

	/** A stack with a Redis manager `redis0`: nodes from `basePort` on, managers ten ports above. */
	static async createRedis(label: string, redis: Record<string, unknown> = {}): Promise<TestStack> {
		return TestStack.#make(label, 20, (base) => ({
			redis: { nodes: 3, memoryMB: 64, ports: { node: base, manager: base + 10 }, ...redis },
		}));
	}

	static async #make(label: string, ports: number, systems: (basePort: number) => Systems): Promise<TestStack> {
		const home = mkdtempSync(join(tmpdir(), `holdfast-${label}-`));
		const tools = join(root, ".holdfast", "tools.json");
		if (existsSync(tools)) writeFileSync(join(home, "tools.json"), readFileSync(tools));
		const basePort = await freePorts(ports);
		const name = `${label}-${process.pid}-${TestStack.#count++}`;
		const stack = new TestStack(name, home, basePort, systems(basePort));
		stack.#write({});
		TestStack.#standing.add(stack);
		return stack;
	}

	/** Settings of `holdfast:mongo`, written by the next `configure`. */
	get mongo(): Record<string, unknown> {
		return this.#systems.mongo ?? {};
	}
	set mongo(settings) {
		this.#systems = { ...this.#systems, mongo: settings };
	}

	/** Changes settings of `holdfast:mongo`; `undefined` removes one. */
	configure(change: Record<string, unknown>, more: Record<string, unknown> = {}): void {
		this.#change("mongo", change, more);
	}

	/** Changes settings of `holdfast:postgres`; `undefined` removes one. */
	configurePostgres(change: Record<string, unknown>, more: Record<string, unknown> = {}): void {
		this.#change("postgres", change, more);
	}

	/** Changes settings of `holdfast:redis`; `undefined` removes one. */
	configureRedis(change: Record<string, unknown>, more: Record<string, unknown> = {}): void {
		this.#change("redis", change, more);
	}

	#change(system: keyof Systems, change: Record<string, unknown>, more: Record<string, unknown>): void {
		this.#systems = JSON.parse(JSON.stringify({ ...this.#systems, [system]: { ...this.#systems[system], ...change } }));
		this.#write(more);
	}

	#write(more: Record<string, unknown>): void {
		const salt = existsSync(this.config)
			? /^encryptionsalt: .*$/m.exec(readFileSync(this.config, "utf8"))?.[0]
			: undefined;
		const systems = Object.entries(this.#systems).map(([system, settings]) => [`holdfast:${system}`, settings]);
		const text = stringify({ config: { "holdfast:program": "local", ...Object.fromEntries(systems), ...more } });
		writeFileSync(this.config, salt ? `${salt}\n${text}` : text);
	}

	get env(): NodeJS.ProcessEnv {
		return { ...process.env, HOLDFAST_HOME: this.home, NO_COLOR: "1" };
	}

	/** Runs `holdfast <args> --stack <name>`; a failure is a result. */
	holdfast(...args: string[]): Promise<Result> {
		return new Promise((resolve) => {
			const all = ["scripts/holdfast.ts", ...args, "--stack", this.name];
			execFile(process.execPath, all, { cwd: root, env: this.env, maxBuffer: 2 ** 28 }, (error, stdout, stderr) => {
				const code = error ? (typeof error.code === "number" ? error.code : 255) : 0;
				resolve({ code, stdout, stderr });
			});
		});
	}

	/** As `holdfast`, but must succeed. */
	async must(...args: string[]): Promise<Result> {
		const result = await this.holdfast(...args);
		if (result.code !== 0)
			throw new Error(`holdfast ${args.join(" ")} exited ${result.code}\n${result.stdout}\n${result.stderr}`);
		return result;
	}

	/** Starts a command in a process group of its own, to be killed half-way. */
	start(env: NodeJS.ProcessEnv, ...args: string[]) {
		const all = ["scripts/holdfast.ts", ...args, "--stack", this.name];
		return spawn(process.execPath, all, {
			cwd: root,
			env: { ...this.env, ...env },
			detached: true,
			stdio: ["ignore", "pipe", "pipe"],
		});
	}

	pulumi(...args: string[]): Promise<Result> {
		return new Promise((resolve) => {
			const all = ["scripts/holdfast.ts", "pulumi", ...args, "--stack", this.name];
			execFile(process.execPath, all, { cwd: root, env: this.env, maxBuffer: 2 ** 28 }, (error, stdout, stderr) =>
				resolve({ code: error ? Number(error.code ?? 255) : 0, stdout, stderr }),
			);
		});
	}

	/** Gives a secret by its path below `holdfast:secrets`. */
	async give(path: string, value: string): Promise<void> {
		const name = `holdfast:secrets.${path}`;
		const { code, stderr } = await this.pulumi("config", "set", "--secret", "--path", name, value);
		if (code !== 0) throw new Error(`config set ${name}: ${stderr}`);
	}

	/** How many resources an `up` created, updated, deleted, replaced; `same` are unchanged. */
	async changes(): Promise<Record<string, number>> {
		const { stdout } = await this.must("up", "--json");
		return summaryOf(stdout);
	}

	/** Connection string of a user. */
	uri(user: string): Promise<string> {
		return this.connection("mongo", user);
	}

	/** A way to connect as a user or role, in one of the forms of `connect`. */
	async connection(system: keyof Systems, user: string, form = "uri"): Promise<string> {
		const { stdout } = await this.must("connect", system, "--reveal", "--json", "--user", user, "--form", form);
		return JSON.parse(stdout)[user];
	}

	/** Folder of a member. */
	member(slot: number, cluster = "rs0"): string {
		return join(this.home, this.name, "members", `${cluster}-${slot}`);
	}

	record(): { replicaSetId: string; admin: { user: string; password: string }; keys: string[]; hosts: string[] } {
		return this.clusterRecord("rs0");
	}

	clusterRecord<T>(cluster: string): T {
		return JSON.parse(readFileSync(join(this.home, this.name, "clusters", `${cluster}.json`), "utf8"));
	}

	/** Pid of a member's mongod. */
	pid(slot: number): number {
		return Number(readFileSync(join(this.member(slot), "data", "mongod.lock"), "utf8"));
	}

	/** Waits until every process runs and every member is a healthy primary, secondary or arbiter. */
	async whole(ms = 120_000): Promise<void> {
		for (const end = Date.now() + ms; ; await sleep(250)) {
			const { code, stdout } = await this.holdfast("status", "--json");
			if (code === 0) return;
			if (Date.now() > end) throw new Error(`not whole after ${ms} ms: ${stdout}`);
		}
	}

	/** Takes the stack down and forgets it; the test fails when that does not work. */
	async destroy(): Promise<void> {
		await this.must("down", "--delete-data", this.name);
		this.forget();
	}

	forget(): void {
		TestStack.#standing.delete(this);
		rmSync(this.home, { recursive: true, force: true });
		rmSync(this.config, { force: true });
	}
}

export function summaryOf(stdout: string): Record<string, number> {
	const events = stdout
		.trim()
		.split("\n")
		.flatMap((line) => {
			try {
				return [JSON.parse(line)];
			} catch {
				return [];
			}
		});
	const summary = events.find((event) => event.summaryEvent)?.summaryEvent ?? JSON.parse(stdout);
	return summary.resourceChanges ?? summary.changeSummary;
}
