import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ETCD_EVIDENCE, ETCD_FILE, type EtcdYml, etcdURL, etcdYml } from "../../runtime/etcd/config.ts";
import type { Voter } from "../../runtime/etcd/state.ts";
import type { Host, MemberStatus } from "../../runtime/platform/host.ts";
import { FOLDER } from "../../runtime/platform/model.ts";
import { freePort } from "./freePort.ts";

interface Process {
	child?: ChildProcess;
	/** Text of etcd.yml when it was started. */
	started?: string;
}

/** Real etcd processes in folders below `root`, started as the platform does it: held until they have data. */
export class EtcdHost implements Host {
	readonly voters: Voter[] = [];
	readonly #root: string;
	readonly #binary: string;
	readonly #processes = new Map<string, Process>();
	#asides = 0;

	constructor(root: string, binary: string) {
		this.#root = root;
		this.#binary = binary;
	}

	folder(name: string, path = ""): string {
		return join(this.#root, name, path);
	}

	/** One more member, at ports that the kernel says are free. */
	async member(name: string, changes: Partial<EtcdYml> = {}): Promise<Voter> {
		const [client, peer] = await Promise.all([freePort(), freePort()]);
		const host = "127.0.0.1";
		const addresses = { client: { host, port: client }, peer: { host, port: peer } };
		for (const folder of ["conf/etcd", "live/tls", "data", "log"])
			mkdirSync(this.folder(name, folder), { recursive: true, mode: 0o700 });
		await this.write(name, ETCD_FILE, etcdYml({ name, ...addresses, ...changes }));
		const voter = {
			name,
			peerURL: etcdURL(addresses.peer, changes.tls),
			clientURL: etcdURL(addresses.client, changes.tls),
		};
		this.voters.push(voter);
		this.#processes.set(name, {});
		return voter;
	}

	#at(name: string): Process {
		return this.#processes.get(name)!;
	}

	#begun(name: string): boolean {
		return existsSync(this.folder(name, ETCD_EVIDENCE));
	}

	pid(name: string): number | undefined {
		const { child } = this.#at(name);
		return child && child.exitCode === null && child.signalCode === null ? child.pid : undefined;
	}

	async start(name: string): Promise<void> {
		if (this.#begun(name)) await this.#spawn(name, ["--config-file", this.folder(name, ETCD_FILE)]);
	}

	async release(name: string, _process: string, args?: readonly string[]): Promise<void> {
		if (!args || this.#begun(name)) return this.start(name);
		await this.#spawn(
			name,
			args.map((arg) => arg.replaceAll(FOLDER, this.folder(name))),
		);
	}

	async #spawn(name: string, args: readonly string[]): Promise<void> {
		if (this.pid(name) !== undefined) return;
		const child = spawn(this.#binary, args, { stdio: "ignore" });
		this.#processes.set(name, { child, started: readFileSync(this.folder(name, ETCD_FILE), "utf8") });
		await sleep(300);
	}

	async stop(name: string, _process?: string, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
		const { child } = this.#at(name);
		if (this.pid(name) === undefined) return;
		const ended = new Promise((done) => child!.once("exit", done));
		child!.kill(signal);
		await ended;
	}

	async restart(name: string): Promise<void> {
		await this.stop(name);
		await this.start(name);
	}

	async status(member: string): Promise<MemberStatus> {
		const process = this.#processes.get(member);
		if (!process) return { member, state: "missing", pendingRestart: false, processes: [] };
		const running = this.pid(member) !== undefined;
		const state = running ? "running" : this.#begun(member) ? "stopped" : "held";
		const pendingRestart = running && process.started !== (await this.read(member, ETCD_FILE));
		return { member, state, pendingRestart, processes: [{ name: "etcd", state, failures: 0, pendingRestart }] };
	}

	async read(name: string, file: string): Promise<string | undefined> {
		const path = this.folder(name, file);
		return existsSync(path) ? readFileSync(path, "utf8") : undefined;
	}

	async write(name: string, file: string, text: string): Promise<void> {
		writeFileSync(this.folder(name, file), text.replaceAll(FOLDER, this.folder(name)), { mode: 0o600 });
	}

	async exists(name: string, path: string): Promise<boolean> {
		return existsSync(this.folder(name, path));
	}

	async setAside(name: string, path: string): Promise<string | undefined> {
		if (!existsSync(this.folder(name, path))) return undefined;
		const kept = `${path}.aside-${++this.#asides}`;
		renameSync(this.folder(name, path), this.folder(name, kept));
		return kept;
	}

	/** Ends everything that was started here, whatever state it is in. */
	async close(): Promise<void> {
		await Promise.all([...this.#processes.keys()].map((name) => this.stop(name, "etcd", "SIGKILL")));
	}
}
