import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { type DatastoreClient, openClient } from "../../runtime/datastore/client.ts";
import type { Entity, Key } from "../../runtime/datastore/entity.ts";
import { sizeOf } from "../../runtime/datastore/pageSize.ts";
import { PROJECT } from "./datastoreValues.ts";
import { freePort } from "./freePort.ts";
import { until } from "./until.ts";

/** Of one commit; the service takes 500 mutations and 10 MiB. */
const COMMIT = { mutations: 500, bytes: 4 * 2 ** 20 };

const hasCloudSdk = (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, "gcloud")));

/** `describe` for tests that need the Cloud SDK: where it is missing they are skipped, with a line on standard error. */
export function describeWithEmulator(name: string, tests: () => void): void {
	if (!hasCloudSdk) process.stderr.write(`no gcloud on PATH: SKIPPED "${name}"\n`);
	(hasCloudSdk ? describe : describe.skip)(name, tests);
}

export interface EmulatorOptions {
	/** Keeps the entities over a restart. @default false */
	onDisk?: boolean;
}

/** The Datastore emulator: has scatter samples, tells kinds and namespaces, ignores read times. */
export function startDatastore({ onDisk = false }: EmulatorOptions = {}): Promise<DatastoreEmulator> {
	const store = onDisk ? "--store-on-disk" : "--no-store-on-disk";
	return DatastoreEmulator.start((address, folder) => [
		...["beta", "emulators", "datastore", "start", `--host-port=${address}`],
		...[store, `--data-dir=${folder}`, "--consistency=1.0"],
	]);
}

/** The Firestore emulator in Datastore mode: honours read times, has no samples and does not tell kinds. Forgets all when it ends. */
export const startFirestoreInDatastoreMode = (): Promise<DatastoreEmulator> =>
	DatastoreEmulator.start((address) => [
		...["emulators", "firestore", "start", `--host-port=${address}`, "--database-mode=datastore-mode"],
	]);

/**
 * gcloud is a shell that becomes a Python, which makes a group of its own and starts another shell and that Java. This
 * tells the group, and ends it with the input: with us, however we end.
 */
const UNTIL_INPUT_ENDS = `
	exec 3<&0
	"$@" </dev/null >/dev/null 3<&- &
	group=$!
	echo $group
	{ cat <&3 >/dev/null; kill -KILL -$group $group; } &
	wait $group
	kill $!`;

type Words = (address: string, folder: string) => string[];

/** An emulator of the Cloud SDK on loopback, with a folder of its own. */
export class DatastoreEmulator {
	readonly project = PROJECT;
	/** `host:port`. */
	readonly address: string;
	readonly #folder = mkdtempSync(join(tmpdir(), "holdfast-datastore-"));
	readonly #words: string[];
	#process: ChildProcess | undefined;
	#group = 0;
	#client: DatastoreClient | undefined;

	private constructor(port: number, words: Words) {
		this.address = `127.0.0.1:${port}`;
		this.#words = [...words(this.address, this.#folder), `--project=${PROJECT}`, "--quiet"];
	}

	static async start(words: Words): Promise<DatastoreEmulator> {
		const emulator = new DatastoreEmulator(await freePort(), words);
		await emulator.resume();
		return emulator;
	}

	/** Starts it again on the same port. */
	async resume(): Promise<void> {
		const words = ["-c", UNTIL_INPUT_ENDS, "sh", "gcloud", ...this.#words];
		const child = spawn("sh", words, { detached: true, stdio: "pipe" });
		this.#process = child;
		child.stdout.once("data", (group: Buffer) => {
			this.#group = Number(group);
		});
		let log = "";
		child.stderr.on("data", (text: Buffer) => {
			log = (log + text).slice(-4_000);
		});
		try {
			await until(`the emulator at ${this.address}`, 60_000, async () => {
				if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the emulator ended:\n${log}`);
				return fetch(`http://${this.address}/`).then(
					({ ok }) => ok,
					() => false,
				);
			});
		} catch (error) {
			await this.kill();
			throw error;
		}
	}

	/** SIGKILL for gcloud and all that it started. */
	async kill(): Promise<void> {
		await this.#end("SIGKILL");
	}

	/** SIGTERM: on disk it writes what it has. */
	async pause(): Promise<void> {
		await this.#end("SIGTERM");
	}

	async stop(): Promise<void> {
		await this.#client?.close();
		this.#client = undefined;
		await this.kill();
		rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
	}

	async #end(signal: NodeJS.Signals): Promise<void> {
		const shell = this.#process;
		this.#process = undefined;
		if (!shell) return;
		if (this.#group) sendTo(this.#group, signal);
		await until(`the end of the emulator at ${this.address}`, 30_000, () => !this.#group || !sendTo(this.#group, 0));
		sendTo(shell.pid!, "SIGKILL");
	}

	/** Writes entities, many in a commit. */
	async load(entities: readonly Entity[]): Promise<void> {
		let [batch, bytes]: [Entity[], number] = [[], 0];
		for (const entity of entities) {
			const size = sizeOf(entity);
			if (batch.length === COMMIT.mutations || bytes + size > COMMIT.bytes) {
				await this.#commit(batch.map((upsert) => ({ upsert })));
				[batch, bytes] = [[], 0];
			}
			batch.push(entity);
			bytes += size;
		}
		if (batch.length > 0) await this.#commit(batch.map((upsert) => ({ upsert })));
	}

	async remove(keys: readonly Key[]): Promise<void> {
		await this.#commit(keys.map((key) => ({ delete: key })));
	}

	async #commit(mutations: object[]): Promise<void> {
		this.#client ??= await openClient(PROJECT, this.address);
		await this.#client.commit({ projectId: PROJECT, mode: "NON_TRANSACTIONAL", mutations });
	}
}

/** Whether the group of processes is there. */
function sendTo(group: number, signal: NodeJS.Signals | 0): boolean {
	try {
		return process.kill(-group, signal);
	} catch {
		return false;
	}
}
