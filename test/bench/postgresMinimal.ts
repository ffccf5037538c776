import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { etcdURL, etcdYml, joinYml } from "../../runtime/etcd/config.ts";
import {
	PATRONI_FILE,
	patroniArgumentsSchema,
	patroniSettings,
	patroniTopology,
	patroniYml,
	SECRETS_FILE,
	secretsYml,
} from "../../runtime/postgres/model.ts";
import { toolPath } from "../../runtime/tools.ts";
import { loopback } from "../support/loopback.ts";

const secrets = { superuser: "s", replication: "r", rewind: "w", rest: "x", etcd: "e" };

export interface Minimal {
	/** Milliseconds until both standbys stream, and until one of them is synchronous. */
	streamingMs: number;
	readyMs: number;
	clean(): Promise<void>;
}

/**
 * The baseline: what a person who knows Patroni would script for one clean run, with no safety and nothing that can be
 * run again. Three etcds that know each other from the start and three Patronis, all at once.
 */
export async function postgresMinimal(ports: Record<string, number>): Promise<Minimal> {
	const begin = performance.now();
	const settings = patroniSettings(patroniArgumentsSchema.parse({ profile: "fast", ports }));
	const { members, etcdFor } = patroniTopology("pg0", settings, loopback);
	const folder = mkdtempSync(join(tmpdir(), "holdfast-minimal-"));
	const initialCluster = members.map(({ name, addresses }) => `${name}=${etcdURL(addresses.etcdPeer)}`).join(",");
	const [etcd, patroni, postgres] = await Promise.all([toolPath("etcd"), toolPath("patroni"), toolPath("postgres")]);
	const env = { ...process.env, PATH: `${dirname(postgres)}:${process.env.PATH}` };
	const children: ChildProcess[] = [];
	for (const { slot, name, addresses } of members) {
		const own = join(folder, name);
		const write = (file: string, text: string) => {
			mkdirSync(dirname(join(own, file)), { recursive: true, mode: 0o700 });
			writeFileSync(join(own, file), text.replaceAll("{{folder}}", own), { mode: 0o600 });
		};
		for (const part of ["data", "log", "run"]) mkdirSync(join(own, part), { recursive: true, mode: 0o700 });
		const text = etcdYml({ name, client: addresses.etcdClient, peer: addresses.etcdPeer });
		write("etcd.yml", joinYml(text, { initialCluster, state: "new", token: "minimal" }));
		write(PATRONI_FILE, patroniYml({ settings, name, addresses, etcd: etcdFor(slot) }));
		write(SECRETS_FILE, secretsYml(secrets));
		children.push(spawn(etcd, ["--config-file", join(own, "etcd.yml")], { stdio: "ignore" }));
		const [program, ...args] = asNobody([patroni, dirname(join(own, PATRONI_FILE))]);
		children.push(spawn(program!, args, { stdio: "ignore", env }));
	}
	const url = `http://${members[0]!.addresses.patroni.host}:${members[0]!.addresses.patroni.port}/cluster`;
	const streamingMs = await until(
		begin,
		url,
		(roles) => roles.filter(({ state }) => state === "streaming").length === 2,
	);
	const readyMs = await until(begin, url, (roles) => roles.some(({ role }) => role === "quorum_standby"));
	return { streamingMs, readyMs, clean: () => clean(folder, children) };
}

const asNobody = (command: string[]): string[] =>
	process.getuid?.() === 0 ? ["unshare", "--user", "--map-user=1", "--map-group=1", "--", ...command] : command;

interface Member {
	role: string;
	state: string;
}

async function until(begin: number, url: string, test: (members: Member[]) => boolean): Promise<number> {
	for (;;) {
		const answer = await fetch(url, { signal: AbortSignal.timeout(2000) }).catch(() => undefined);
		const { members = [] } = answer?.ok ? ((await answer.json()) as { members?: Member[] }) : {};
		if (test(members)) return performance.now() - begin;
		await sleep(50);
	}
}

/** Patroni ends its PostgreSQL; the etcds go last. */
async function clean(folder: string, children: ChildProcess[]): Promise<void> {
	const end = async (some: ChildProcess[], signal: NodeJS.Signals) => {
		const ended = some.map((child) => new Promise((resolve) => child.once("exit", resolve)));
		for (const child of some) child.kill(signal);
		await Promise.all(ended);
	};
	await end(
		children.filter((_, i) => i % 2 === 1),
		"SIGTERM",
	);
	await end(
		children.filter((_, i) => i % 2 === 0),
		"SIGKILL",
	);
	rmSync(folder, { recursive: true });
}
