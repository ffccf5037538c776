import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ManagerProcess } from "../support/managerProcess.ts";
import { root } from "../support/node.ts";
import { API_KEY } from "../support/redisClient.ts";
import { removeRedises, startRedises } from "../support/redisServers.ts";
import { until } from "../support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-service-"));
const keyFile = join(folder, "keys");
let nodes: string[];
let manager: ManagerProcess;

beforeAll(async () => {
	nodes = (await startRedises(3)).map(({ name }) => name);
	writeFileSync(keyFile, `${API_KEY}\n`);
	manager = await ManagerProcess.start(nodes, { API_KEY: "", API_KEY_FILE: keyFile });
	await manager.whole(3);
});
afterAll(async () => {
	await ManagerProcess.removeAll();
	await removeRedises();
	rmSync(folder, { recursive: true });
});

/** Stamps, times and ports differ from one run to the next. */
const steady = (text: string): string =>
	text
		.replaceAll(/"[0-9a-f]{32}"/g, '"STAMP"')
		.replaceAll(/\b1\d{12}\b/g, "MS")
		.replaceAll(/(127\.0\.0\.1):\d+/g, "$1:PORT")
		.trimEnd();

/** Commands of a page's console blocks, in order, each with what it prints. */
function commands(page: string): { command: string; prints: string }[] {
	const blocks = [...page.matchAll(/```console\n([\s\S]*?)```/g)].map(([, block]) => block!);
	return blocks
		.flatMap((block) => block.split(/^\$ /m).slice(1))
		.map((text) => {
			const [command = "", ...prints] = text.split("\n");
			return { command, prints: prints.join("\n").trimEnd() };
		});
}

test("the walk through docs/redis-api.md works as printed", async () => {
	const all = commands(readFileSync(join(root, "docs/redis-api.md"), "utf8"));
	expect(all.length).toBeGreaterThan(10);
	const url = `http://127.0.0.1:${manager.port}`;
	const script = all
		.map(({ command }) => `${command.replace("http://127.0.0.1:3000", url)}\necho; echo ----`)
		.join("\n");
	const env = { PATH: process.env.PATH, API_KEY };
	const { stdout } = await promisify(execFile)("sh", ["-c", script], { cwd: folder, env });
	const printed = stdout.split("\n----\n").map(steady);
	for (const [i, { command, prints }] of all.entries())
		expect({ command, prints: printed[i]!.trimEnd() }).toEqual({ command, prints: steady(prints) });
});

/** Exit code and standard error of a manager that does not start. */
async function refused(config: object, words: string[] = []): Promise<{ code: number | null; error: string }> {
	const file = join(folder, "refused.json");
	writeFileSync(file, JSON.stringify({ REDIS_NODES: nodes.join(","), API_KEY, ...config }));
	const main = [join(root, "runtime/redis/main.ts"), "--config", file, ...words];
	const child = spawn(process.execPath, main, { cwd: root, env: { PATH: process.env.PATH } });
	let error = "";
	child.stderr.on("data", (chunk) => {
		error += chunk;
	});
	const [code] = (await once(child, "exit")) as [number | null];
	return { code, error };
}

test("a start that cannot succeed says why in a sentence, with a code for supervisors", async () => {
	const wrong = await refused({ PORT: "http" });
	expect(wrong).toEqual({ code: 2, error: expect.stringMatching(/^HF_SETTING: PORT: .*\. Next: .*\n$/) });
	expect(await refused({}, ["--nonsense"])).toMatchObject({ code: 2 });
	expect((await refused({}, ["--config", "/nowhere.json"])).error).toContain(
		"--config: /nowhere.json cannot be read (ENOENT)",
	);
	const other = createServer().listen(0, "127.0.0.1");
	await once(other, "listening");
	const taken = await refused({ PORT: (other.address() as AddressInfo).port });
	other.close();
	expect(taken).toEqual({ code: 1, error: expect.stringMatching(/^HF_PORT_IN_USE: .*\. Next: .*\n$/) });
});

test("a key in a file is replaced without a restart, and no key is ever logged", async () => {
	const status = async (key: string) =>
		(await fetch(`http://127.0.0.1:${manager.port}/nodes`, { headers: { "x-api-key": key } })).status;
	const statuses = () => Promise.all([API_KEY, "brand-new-key-1"].map(status));
	const takenUp = () => manager.log.split("secret taken up").length - 1;
	/** Waits by the log: who asks with a key that is wrong as yet is soon refused unheard, by address. */
	const replace = async (text: string) => {
		const before = takenUp();
		writeFileSync(`${keyFile}.new`, text);
		renameSync(`${keyFile}.new`, keyFile);
		await until("the file to be taken up", 10_000, () => takenUp() > before);
	};
	await replace(`brand-new-key-1,${API_KEY}\n`);
	expect(await statuses()).toEqual([200, 200]);
	await replace("brand-new-key-1\n");
	expect(await statuses()).toEqual([401, 200]);
	await replace(`${API_KEY}\n`);
	expect(await statuses()).toEqual([200, 401]);
	expect(takenUp()).toBe(3);
	for (const key of [API_KEY, "brand-new-key-1"]) expect(manager.log + manager.output).not.toContain(key);
});

test("SIGHUP begins its log anew", async () => {
	const file = join(folder, "own.log");
	const own = await ManagerProcess.start(nodes, { LOG_FILE: file });
	renameSync(file, `${file}.1`);
	process.kill(own.pid, "SIGHUP");
	await until("the new log", 10_000, () => existsSync(file));
	await own.end();
	expect(readFileSync(`${file}.1`, "utf8")).toContain('"listening"');
	expect(readFileSync(file, "utf8")).toContain('"stopped"');
	expect(statSync(file).mode & 0o777).toBe(0o600);
});

test("SIGTERM ends it in order, and a second signal at once", async () => {
	const start = async (settings: object) => {
		const file = join(folder, `${Math.random()}.json`);
		writeFileSync(file, JSON.stringify({ REDIS_NODES: nodes.join(","), API_KEY, PORT: 0, ...settings }));
		const main = [join(root, "runtime/redis/main.ts"), "--config", file];
		const child = spawn(process.execPath, main, { cwd: root, env: { PATH: process.env.PATH } });
		let log = "";
		child.stdout.on("data", (chunk) => {
			log += chunk;
		});
		await until("the manager to listen", 20_000, () => log.includes('"listening"'));
		return { child, log: () => log };
	};
	const first = await start({});
	const ended = once(first.child, "exit");
	first.child.kill("SIGTERM");
	expect(await ended).toEqual([0, null]);
	expect(first.log()).toContain('"drained":true');
	const second = await start({ STOP_DELAY_MS: 60_000 });
	const cut = once(second.child, "exit");
	second.child.kill("SIGINT");
	await until("it to be stopping", 30_000, () => second.log().includes('"stopping"'));
	second.child.kill("SIGINT");
	expect(await cut).toEqual([1, null]);
});
