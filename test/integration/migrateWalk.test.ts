import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describeWithEmulator } from "../support/datastoreEmulator.ts";
import { freePort } from "../support/freePort.ts";
import { root } from "../support/node.ts";
import { type ReplicaSet, startReplicaSet } from "../support/replicaSet.ts";

jest.setTimeout(300_000);

/** Ids, digests, ports and rates differ from one run to the next; so does what a machine is bound by. */
const steady = (text: string): string =>
	text
		.replaceAll(/\b[0-9a-f]{64}\b/g, "SHA-256")
		.replaceAll(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, "UUID")
		.replaceAll(/(127\.0\.0\.1):\d+/g, "$1:PORT")
		.replaceAll(/about \d+:\d\d at [\d,]+\/s, bound by the \w+/g, "about TIME")
		.replaceAll(/ {2,}/g, "  ")
		.trimEnd();

/** Commands of the page's console blocks below a heading, in order, each with what it prints. */
function commands(text: string): { command: string; prints: string }[] {
	const blocks = [...text.matchAll(/```console\n([\s\S]*?)```/g)].map(([, block]) => block!);
	return blocks
		.flatMap((block) => block.split(/^\$ /m).slice(1))
		.map((lines) => {
			const [command = "", ...prints] = lines.split("\n");
			return { command, prints: prints.join("\n").trimEnd() };
		});
}

describeWithEmulator("the walk through docs/migrate.md", () => {
	const folder = mkdtempSync(join(tmpdir(), "holdfast-walk-"));
	const home = join(folder, "home");
	let set: ReplicaSet;
	let addresses: [string, string];

	/** Runs a shell in the checkout, with the example's files in a folder of this test. */
	const shell = async (script: string) => {
		const env = { ...process.env, HOLDFAST_HOME: home, NO_COLOR: "1" };
		const options = { cwd: root, env, maxBuffer: 2 ** 24 };
		return promisify(execFile)("sh", ["-c", script], options);
	};
	const here = (command: string) =>
		command
			.replaceAll("examples/dyff/", `${folder}/dyff/`)
			.replace("127.0.0.1:8081", addresses[0])
			.replace("127.0.0.1:4443", addresses[1]);

	beforeAll(async () => {
		cpSync(join(root, "examples", "dyff"), join(folder, "dyff"), { recursive: true });
		for (const made of ["map", "map.secret"]) rmSync(join(folder, "dyff", made), { recursive: true, force: true });
		addresses = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
		set = await startReplicaSet(1);
		// As if `npm start` had brought it up: known to this home as the set of stack `local`.
		const admin = { user: "admin", password: "not a secret of anybody" };
		await set.command(0, { createUser: admin.user, pwd: admin.password, roles: ["root"] });
		mkdirSync(join(home, "local", "clusters"), { recursive: true, mode: 0o700 });
		const record = { name: set.name, hosts: set.hosts, admin, keys: [] };
		writeFileSync(join(home, "local", "clusters", "rs0.json"), JSON.stringify(record), { mode: 0o600 });
	});
	afterAll(async () => {
		await shell("npm run --silent example:dyff -- stop").catch(() => {});
		await set?.stop();
		rmSync(folder, { recursive: true });
	});

	test("works as printed", async () => {
		const [, walk = ""] = /^## A walk through it\n([\s\S]*?)^## /m.exec(
			readFileSync(join(root, "docs/migrate.md"), "utf8"),
		)!;
		const all = commands(walk);
		expect(all.length).toBeGreaterThan(10);
		const { stdout, stderr } = await shell(all.map(({ command }) => `${here(command)}\necho ----`).join("\n"));
		const printed = stdout.split("----\n");
		for (const [at, { command, prints }] of all.entries()) {
			const got = steady(printed[at]!);
			// Progress and what goes wrong stand on standard error.
			if (got !== steady(prints)) process.stderr.write(stderr);
			expect({ command, prints: got }).toEqual({ command, prints: steady(prints) });
		}
	});
});
