import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { askFlux, type FluxOptions } from "../../../runtime/discovery/flux.ts";

const servers: Server[] = [];
afterEach(async () => {
	for (const server of servers.splice(0)) {
		server.closeAllConnections();
		await new Promise((resolve) => server.close(resolve));
	}
});

async function ask(listener: RequestListener, options: Partial<FluxOptions> = {}) {
	const open = createServer(listener);
	servers.push(open);
	await new Promise<void>((resolve) => open.listen(0, "127.0.0.1", resolve));
	const url = `http://127.0.0.1:${(open.address() as AddressInfo).port}`;
	const answer = await askFlux({ url, app: "my app/1", ports: { missing: 6379 }, ...options });
	return JSON.parse(JSON.stringify(answer).replaceAll(url, "URL"));
}

const says =
	(body: unknown, status = 200): RequestListener =>
	(_request, response) => {
		response.writeHead(status, { "content-type": "application/json" });
		response.end(typeof body === "string" ? body : JSON.stringify(body));
	};

test("asks for the application and reads its addresses, whatever else is told", async () => {
	let path = "";
	const body = { status: "success", data: [{ ip: "1.2.3.4:31000", name: "x", osUptime: 5 }, { ip: "1.2.3.3" }] };
	const answer = await ask((request, response) => {
		path = request.url!;
		says(body)(request, response);
	});
	expect(path).toBe("/apps/location/my%20app%2F1");
	const addresses = [
		{ ip: "1.2.3.3", port: 6379 },
		{ ip: "1.2.3.4", port: 31000 },
	];
	expect(answer).toEqual({ kind: "list", addresses });
});

test.each([
	["an error that Flux reports with 200", says({ status: "error", data: { message: "no" } }), "malformed", /status/],
	[
		"an entry without an address",
		says({ status: "success", data: [{ ip: "1.2.3.4" }, {}] }),
		"malformed",
		/data\.1\.ip/,
	],
	["an address that is none", says({ status: "success", data: [{ ip: "secret" }] }), "malformed", /^data\[0\]\.ip/],
	["no JSON", says("<html>"), "malformed", /not JSON/],
	["a list of something else", says("[]"), "malformed", /not in Flux's form/],
	["a status that is no success", says({ status: "success", data: [] }, 503), "unavailable", /HTTP status 503/],
	["a redirect", says("", 302), "unavailable", /HTTP status 302/],
	["no answer", ((request) => request.socket.destroy()) as RequestListener, "unavailable", /no answer from URL/],
])("%s says what was wrong and where", async (_, listener, kind, problem) => {
	const answer = await ask(listener);
	expect(answer).toEqual({ kind, problem: expect.stringMatching(problem) });
	expect(answer.problem).not.toContain("secret");
});

test("no nodes are no failure", async () => {
	expect(await ask(says({ status: "success", data: [] }))).toEqual({ kind: "empty" });
});

test("an answer that does not come, or never ends, is given up", async () => {
	const silent = { kind: "unavailable", problem: "no answer from URL within 100 ms" };
	expect(await ask(() => undefined, { timeoutMs: 100 })).toEqual(silent);
	const endless: RequestListener = (_request, response) => {
		response.write("[");
	};
	expect(await ask(endless, { timeoutMs: 100 })).toEqual(silent);
});

test("an answer that is too large is not read to its end", async () => {
	const answer = await ask(says(" ".repeat(2000)), { limit: 1000 });
	expect(answer).toEqual({ kind: "malformed", problem: "the answer of URL has more than 1000 bytes" });
});

test("nobody listens", async () => {
	const answer = await askFlux({ url: "http://127.0.0.1:1/", app: "a", ports: { missing: 1 } });
	expect(answer).toEqual({ kind: "unavailable", problem: expect.stringContaining("ECONNREFUSED") });
});
