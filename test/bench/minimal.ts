import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { MongoClient } from "mongodb";
import { CONFIG_FILE, KEY_FILE, keyfileText, mongodConf } from "../../runtime/mongo/model.ts";
import { toolPath } from "../../runtime/tools.ts";

const key = "c2VjcmV0".repeat(100);

/**
 * The baseline: what a person who knows MongoDB would script for one clean run, with no safety and nothing that can be
 * run again. Three mongods, initiate one, an admin, two adds back to back, wait until three votes count.
 */
export async function minimal(basePort: number): Promise<() => Promise<void>> {
	const folder = mkdtempSync(join(tmpdir(), "holdfast-minimal-"));
	const mongod = await toolPath("mongod");
	const children = [0, 1, 2].map((slot) => start(mongod, join(folder, String(slot)), basePort + slot));
	const client = new MongoClient(`mongodb://127.0.0.1:${basePort}/?directConnection=true`, {
		auth: { username: "__system", password: key },
		authSource: "local",
		authMechanism: "SCRAM-SHA-256",
		serverSelectionTimeoutMS: 30_000,
		heartbeatFrequencyMS: 500,
	});
	const db = client.db("admin");
	await db.command({ replSetInitiate: { _id: "rs0", members: [{ _id: 0, host: `127.0.0.1:${basePort}` }] } });
	while (!(await db.command({ hello: 1 })).isWritablePrimary) await sleep(20);
	await db.command({ createUser: "admin", pwd: "admin", roles: ["root"] });
	for (const slot of [1, 2]) {
		const { config } = await db.command({ replSetGetConfig: 1 });
		config.version += 1;
		config.members.push({ _id: slot, host: `127.0.0.1:${basePort + slot}`, votes: 1, priority: 1 });
		await db.command({ replSetReconfig: config });
	}
	while ((await db.command({ replSetGetStatus: 1 })).votingMembersCount !== 3) await sleep(50);
	await client.close();
	return () => clean(folder, children);
}

function start(mongod: string, folder: string, port: number): ChildProcess {
	for (const part of ["conf", "data", "log"]) mkdirSync(join(folder, part), { recursive: true, mode: 0o700 });
	const address = { host: "127.0.0.1", port };
	const conf = mongodConf({ replicaSet: "rs0", address, cacheSizeGB: 0.25 }).replaceAll("{{folder}}", folder);
	writeFileSync(join(folder, CONFIG_FILE), conf, { mode: 0o600 });
	writeFileSync(join(folder, KEY_FILE), keyfileText([key]), { mode: 0o600 });
	return spawn(mongod, ["--config", join(folder, CONFIG_FILE)], { stdio: "ignore" });
}

async function clean(folder: string, children: ChildProcess[]): Promise<void> {
	const ended = children.map((child) => new Promise((resolve) => child.once("exit", resolve)));
	for (const child of children) child.kill("SIGKILL");
	await Promise.all(ended);
	rmSync(folder, { recursive: true });
}
