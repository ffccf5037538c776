import { batch, closeAll, ids, open, PATIENT, RANGE, serve } from "../../support/datastoreAnswers.ts";
import { status } from "../../support/datastoreServer.ts";

afterEach(closeAll);

test.each([
	"UNAVAILABLE",
	"ABORTED",
	"INTERNAL",
	"DEADLINE_EXCEEDED",
	"RESOURCE_EXHAUSTED",
] as const)("%s is tried again, and is HF_RETRY when it does not pass", async (name) => {
	let failing = 3;
	const server = await serve({
		runQuery: () => {
			if (failing-- > 0) throw status(name);
			return batch([1]);
		},
	});
	const source = await open(server);
	expect(ids((await source.page(RANGE, undefined, 3)).keys)).toEqual([1]);
	expect(server.requests.runQuery).toHaveLength(4);
	failing = Number.POSITIVE_INFINITY;
	await expect(source.page(RANGE, undefined, 3)).rejects.toMatchObject({ code: "HF_RETRY" });
});

test.each([
	["FAILED_PRECONDITION", "The requested snapshot version is too old.", "HF_EXPIRED"],
	["INVALID_ARGUMENT", "read_time is too old", "HF_EXPIRED"],
	["INVALID_ARGUMENT", "bad filter", "HF_REJECTED"],
	["UNAUTHENTICATED", "no token", "HF_CREDENTIALS"],
	["PERMISSION_DENIED", "missing role", "HF_CREDENTIALS"],
	["NOT_FOUND", "no such database", "HF_REJECTED"],
] as const)("%s (%s) is %s at once", async (name, details, code) => {
	const server = await serve({
		runQuery: () => {
			throw status(name, details);
		},
	});
	const source = await open(server);
	await expect(source.page(RANGE, undefined, 3)).rejects.toMatchObject({
		code,
		message: expect.stringContaining(`page of A from ${server.address}`),
	});
	expect(server.requests.runQuery).toHaveLength(1);
});

test("a source that is closed ends its waits", async () => {
	const server = await serve({
		runQuery: () => {
			throw status("UNAVAILABLE");
		},
	});
	const patience = { ...PATIENT, first: 60_000, longest: 60_000 };
	const source = await open(server, {}, patience);
	const reading = expect(source.page(RANGE, undefined, 3)).rejects.toMatchObject({ code: "HF_RETRY" });
	while (server.requests.runQuery.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
	await source.close();
	await reading;
});

test("a call that is not answered in time is made again", async () => {
	const server = await serve({ runQuery: (_, number) => (number === 1 ? undefined : batch([1])) });
	const source = await open(server, {}, { ...PATIENT, deadline: 100 });
	expect(ids((await source.page(RANGE, undefined, 3)).keys)).toEqual([1]);
	expect(server.requests.runQuery).toHaveLength(2);
});
