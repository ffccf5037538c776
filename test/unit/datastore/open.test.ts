import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { openSource } from "../../../runtime/datastore/open.ts";
import { DatastoreServer } from "../../support/datastoreServer.ts";
import { PROJECT } from "../../support/datastoreValues.ts";

const PATIENT = { deadline: 2_000, first: 1, longest: 5, attempts: 2 };
const environment = { ...process.env };
afterEach(() => {
	process.env = { ...environment };
});

/** What a script says on both outputs, run by plain Node: jest has a `process` of its own, which hears no warnings. */
async function said(script: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
	const words = ["--input-type=module", "-e", script];
	const options = { cwd: join(__dirname, "../../.."), env: { ...process.env, ...env } };
	const { stdout, stderr } = await promisify(execFile)(process.execPath, words, options);
	return (stdout + stderr).trim();
}

test("an emulator is spoken to without credentials and without looking for any", async () => {
	const server = await DatastoreServer.start({ runQuery: () => ({ batch: { moreResults: "NO_MORE_RESULTS" } }) });
	const script = `
		const { openSource } = await import("./runtime/datastore/open.ts");
		const source = await openSource({ project: "demo" });
		const { done } = await source.page({ namespace: "", kind: "A" }, undefined, 1);
		console.log(source.name, source.pinned, source.readTime, done);
		await source.close();`;
	// Nothing to be found where credentials are looked for.
	const env = { DATASTORE_EMULATOR_HOST: server.address, HOME: "/nowhere", GOOGLE_APPLICATION_CREDENTIALS: undefined };
	try {
		expect(await said(script, env)).toBe("projects/demo/databases/ false undefined true");
	} finally {
		server.stop();
	}
});

test("without credentials the service is not asked", async () => {
	delete process.env.DATASTORE_EMULATOR_HOST;
	process.env.GOOGLE_APPLICATION_CREDENTIALS = "/nowhere.json";
	await expect(openSource({ project: PROJECT }, PATIENT)).rejects.toMatchObject({
		code: "HF_CREDENTIALS",
		next: expect.stringContaining("gcloud auth application-default login"),
	});
});

test("nobody at an emulator's address is HF_RETRY, after the tries", async () => {
	const source = await openSource({ project: PROJECT, emulator: "127.0.0.1:1" }, PATIENT);
	await expect(source.count("", "A")).rejects.toMatchObject({ code: "HF_RETRY" });
	await source.close();
});

test("a read time that cannot be kept is refused before anything is asked", async () => {
	const options = { project: PROJECT, emulator: "127.0.0.1:1", readTime: "2026-11-21T10:00:01Z", retentionHours: 168 };
	await expect(openSource(options, PATIENT)).rejects.toMatchObject({ code: "HF_SETTING" });
});

test("the client is loaded by those alone who open a source", async () => {
	const script = `
		await import("./runtime/datastore/open.ts");
		const { createRequire } = await import("node:module");
		const loaded = Object.keys(createRequire(process.cwd() + "/").cache);
		console.log(loaded.filter((path) => /google|grpc|protobuf/.test(path)).length);`;
	expect(await said(script)).toBe("0");
});
