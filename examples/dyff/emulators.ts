import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { HoldfastError } from "../../runtime/errors.ts";
import { home } from "../../runtime/home.ts";
import { program as fakeGcs } from "../../test/support/fakeGcs.ts";
import { PROJECT } from "./data.ts";

/** Process groups of what runs. */
const record = () => join(home(), "examples", "dyff.json");

/** `host:port` of an emulator, as the environment names it to every client. */
function addressOf(variable: string): string {
	const address = process.env[variable]?.replace(/^http:\/\//, "");
	if (address) return address;
	throw new HoldfastError("HF_USAGE", `${variable} is not set`, { next: "set it as docs/migrate.md shows" });
}

/** Starts both emulators and leaves them running; tells their addresses. */
export async function start(): Promise<void> {
	const datastore = addressOf("DATASTORE_EMULATOR_HOST");
	const storage = addressOf("STORAGE_EMULATOR_HOST");
	if (started().length > 0)
		throw new HoldfastError("HF_USAGE", "the emulators run already", { next: "npm run example:dyff -- stop" });
	const [host = "", port = ""] = storage.split(":");
	const program = await fakeGcs();
	mkdirSync(dirname(record()), { recursive: true, mode: 0o700 });
	const words = {
		datastore: [
			...["beta", "emulators", "datastore", "start", `--project=${PROJECT}`, `--host-port=${datastore}`],
			...["--no-store-on-disk", `--data-dir=${dirname(record())}`, "--consistency=1.0", "--quiet"],
		],
		storage: [
			...["-scheme", "http", "-host", host, "-port", port, "-public-host", storage],
			...["-external-url", `http://${storage}`, "-backend", "memory", "-data", "/nonexistent"],
		],
	};
	const groups = [await run("gcloud", words.datastore), await run(program, words.storage)];
	writeFileSync(record(), JSON.stringify(groups));
	await Promise.all([answers(`http://${datastore}/`), answers(`http://${storage}/storage/v1/b?project=${PROJECT}`)]);
	console.log(`Datastore emulator at ${datastore}, bucket emulator at http://${storage}`);
}

/** Pid of a process in a group of its own, which outlives this program. */
async function run(program: string, words: string[]): Promise<number> {
	const child = spawn(program, words, { detached: true, stdio: "ignore" });
	await once(child, "spawn").catch((cause) => {
		throw new HoldfastError("HF_TOOL", `${program} cannot be run`, {
			next: "install it, and see docs/migrate.md",
			cause,
		});
	});
	child.unref();
	return child.pid!;
}

async function answers(url: string): Promise<void> {
	for (const end = Date.now() + 60_000; ; await sleep(200)) {
		const { ok } = await fetch(url).catch(() => ({ ok: false }));
		if (ok) return;
		if (Date.now() > end) throw new HoldfastError("HF_TOOL", `nothing answers at ${url}`);
	}
}

/** Process groups that `start` left running. */
function started(): number[] {
	if (!existsSync(record())) return [];
	return (JSON.parse(readFileSync(record(), "utf8")) as number[]).filter((group) => signal(group, 0));
}

function signal(group: number, name: NodeJS.Signals | 0): boolean {
	try {
		return process.kill(-group, name);
	} catch {
		// Gone already.
		return false;
	}
}

/** Ends what `start` started. */
export function stop(): void {
	for (const group of started()) signal(group, "SIGKILL");
	rmSync(record(), { force: true });
}
