import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Brake } from "../../runtime/migrate/brake.ts";
import { openTarget } from "../../runtime/migrate/target.ts";
import { toolPath } from "../../runtime/tools.ts";
import { freePort } from "../support/freePort.ts";
import { targetForTests } from "../support/migrateTarget.ts";

const target = targetForTests();
const variable = { uriVariable: "HOLDFAST_TEST_TARGET" };
const refused = (value: string | undefined): Promise<string> => {
	const before = process.env.HOLDFAST_TEST_TARGET;
	if (value === undefined) delete process.env.HOLDFAST_TEST_TARGET;
	else process.env.HOLDFAST_TEST_TARGET = value;
	return openTarget(variable)
		.then(
			async (client) => {
				await client.close();
				return "opened";
			},
			(error: Error) => error.message,
		)
		.finally(() => {
			process.env.HOLDFAST_TEST_TARGET = before;
		});
};

test("writes wait for a majority and its journals, whatever the URI says", async () => {
	process.env.HOLDFAST_TEST_TARGET = `${target.set.uri}&w=1&journal=false&retryWrites=false`;
	const client = await openTarget(variable);
	process.env.HOLDFAST_TEST_TARGET = target.set.uri;
	const { writeConcern, retryWrites } = client.options;
	expect(writeConcern).toMatchObject({ w: "majority", j: true });
	expect(retryWrites).toBe(true);
	await client.close();
});

test("what is no replica set, no URI or not there is refused, and no password is told", async () => {
	const folder = mkdtempSync(join(tmpdir(), "holdfast-alone-"));
	const port = await freePort();
	const args = ["--dbpath", folder, "--port", String(port), "--bind_ip", "127.0.0.1", "--nounixsocket"];
	const alone = spawn(await toolPath("mongod"), args, { stdio: "ignore" });
	try {
		expect(await refused(`mongodb://127.0.0.1:${port}/`)).toContain("HF_SETTING: the target is a standalone server");
	} finally {
		const gone = new Promise((resolve) => alone.once("exit", resolve));
		alone.kill("SIGKILL");
		await gone;
		rmSync(folder, { recursive: true, force: true });
	}
	expect(await refused(undefined)).toContain("HF_SETTING: the environment has no HOLDFAST_TEST_TARGET");
	for (const bad of ["redis://u:geheim@h", "mongodb://u:ge:heim@h:99999999", "geheim"]) {
		const said = await refused(bad);
		expect(said).toContain("HF_SETTING: HOLDFAST_TEST_TARGET is not a URI of MongoDB");
		expect(said).not.toContain("heim");
	}
	const nobody = `mongodb://u:geheim@127.0.0.1:${port}/?serverSelectionTimeoutMS=100`;
	expect(await refused(nobody)).toMatch(/^HF_UNREACHABLE: (?!.*geheim)/);
});

test("the brake lets writes go on with a set that follows, and asks it what it needs", async () => {
	const notes: string[] = [];
	const client = await openTarget(variable);
	await new Brake(client, (note) => notes.push(note)).clear(new AbortController().signal);
	expect(notes).toEqual([]);
	await client.close();
});
