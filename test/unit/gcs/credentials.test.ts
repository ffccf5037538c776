import { applicationDefault } from "../../../runtime/gcs/credentials.ts";
import { openBucket } from "../../../runtime/gcs/openBucket.ts";
import { Transport } from "../../../runtime/gcs/transport.ts";
import { StorageServer } from "../../support/storageServer.ts";

const before = { ...process.env };
afterEach(() => {
	process.env = { ...before };
});

test("calls of the service prove who calls, those of an upload's session do not", async () => {
	const server = await StorageServer.start();
	server.buckets.create("from");
	const transport = new Transport({
		endpoint: server.endpoint,
		credentials: async () => ({ authorization: "Bearer one" }),
	});
	const call = { what: "look", method: "GET" } as const;
	await transport.json({ ...call, path: "/storage/v1/b/from/o" });
	await transport.json({ ...call, method: "PUT", path: `${server.endpoint}/session/none` });
	await transport.close();
	await server.stop();
	expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(["Bearer one", undefined]);
});

test("without credentials of this machine it says so", async () => {
	process.env.GOOGLE_APPLICATION_CREDENTIALS = "/nowhere/key.json";
	await expect(applicationDefault()()).rejects.toThrow(
		"HF_CREDENTIALS: there are no credentials for Cloud Storage here",
	);
});

test("an emulator is named by the place, else by the environment", () => {
	expect(openBucket({ bucket: "abc" }).name).toBe("gs://abc");
	process.env.STORAGE_EMULATOR_HOST = "localhost:4443";
	expect(openBucket({ bucket: "abc" }).name).toBe("http://localhost:4443 gs://abc");
	expect(openBucket({ bucket: "abc", endpoint: "http://127.0.0.1:1/" }).name).toBe("http://127.0.0.1:1 gs://abc");
});
