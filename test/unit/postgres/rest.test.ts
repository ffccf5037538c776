import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { PatroniRest } from "../../../runtime/postgres/rest.ts";

interface Call {
	method: string;
	path: string;
	authorization: string | undefined;
	body: unknown;
}
type Reply = [status: number, body: unknown];

let server: Server;
let rest: PatroniRest;
let calls: Call[] = [];
let answer: (call: Call) => Reply | undefined | Promise<Reply | undefined>;

const auth = { username: "patroni", password: "p:'\"\\" };
const authorization = `Basic ${Buffer.from("patroni:p:'\"\\").toString("base64")}`;
const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

async function bodyOf(request: IncomingMessage): Promise<unknown> {
	let text = "";
	for await (const chunk of request) text += chunk;
	return text === "" ? undefined : JSON.parse(text);
}

beforeEach(async () => {
	calls = [];
	server = createServer(async (request, response) => {
		const { method = "", url: path = "", headers } = request;
		const call = { method, path, authorization: headers.authorization, body: await bodyOf(request) };
		calls.push(call);
		const reply = await answer(call);
		// No answer at all: the connection breaks.
		if (!reply) return void response.destroy();
		response.writeHead(reply[0]).end(typeof reply[1] === "string" ? reply[1] : JSON.stringify(reply[1]));
	});
	await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
	rest = new PatroniRest({ member: "pg-0", url: url() }, { auth, timeout: 500 });
});

afterEach(async () => {
	await rest.close();
	server.closeAllConnections();
	await new Promise((done) => server.close(done));
});

const member = (name: string, role: string, more: object = {}) => ({
	...{ name, role, state: role === "leader" ? "running" : "streaming", api_url: "http://x/patroni", tags: { x: 1 } },
	...more,
});
const clusterOf = (leader: string | undefined, more: object = {}) => ({
	scope: "pg0",
	members: ["pg-0", "pg-1", "pg-2"].map((name) => member(name, name === leader ? "leader" : "replica", more)),
});
const verbs = () => calls.map(({ method, path }) => `${method} ${path}`);

describe("looks", () => {
	test("read what is used and need no password", async () => {
		answer = () => [200, { ...clusterOf("pg-0", { lag: "unknown", receive_lsn: "0/3000000" }), pause: true }];
		const view = await rest.cluster();
		expect(view).toMatchObject({ pause: true, members: [{ role: "leader", lag: "unknown" }, {}, {}] });
		expect(calls[0]!.authorization).toBeUndefined();
	});

	test("of a member whose PostgreSQL is down say so", async () => {
		const patroni = { version: "4.1.5", scope: "pg0", name: "pg-0" };
		answer = () => [200, { state: "stopped", role: "replica", patroni, cluster_unlocked: true }];
		expect(await rest.patroni()).toEqual({ state: "stopped", role: "replica", patroni, cluster_unlocked: true });
	});

	test("histories of any length", async () => {
		const history = [
			[1, 67_109_024, "no recovery target specified", "2026-11-21T15:04:54.244664+00:00", "pg-1"],
			[2, 8, "x"],
		];
		answer = () => [200, history];
		expect(await rest.history()).toEqual(history);
	});

	test("a cluster that was never bootstrapped has no configuration", async () => {
		answer = () => [502, "<html>"];
		expect(await rest.config()).toBeUndefined();
	});

	test.each([
		["nobody answers in time", "HF_UNREACHABLE", () => sleep(2000, undefined)],
		["the connection breaks", "HF_UNREACHABLE", () => undefined],
		["somebody else answers", "HF_REJECTED", () => [200, "<html>"] as Reply],
		["another Patroni answers", "HF_REJECTED", () => [200, { members: [{ name: "x" }] }] as Reply],
		["Patroni fails", "HF_REJECTED", () => [500, "boom"] as Reply],
	])("fail and name the member when %s", async (_, code, reply) => {
		answer = reply;
		await expect(rest.cluster()).rejects.toMatchObject({ code, message: expect.stringContaining("pg-0") });
	});
});

describe("changes", () => {
	test("are authenticated, and a refusal does not tell the password", async () => {
		answer = () => [202, "reload scheduled"];
		await rest.reload();
		expect(calls[0]).toMatchObject({ method: "POST", path: "/reload", authorization });
		for (const status of [401, 403]) {
			answer = () => [status, "not authenticated"];
			const refused = await rest.reload().catch((error: Error) => error);
			expect(refused).toMatchObject({ code: "HF_CREDENTIALS" });
			expect(String(refused)).not.toContain(auth.password);
			expect(String(refused)).not.toContain(authorization.slice(6));
		}
	});

	test("of the configuration are merged, unless somebody else was faster", async () => {
		answer = () => [200, {}];
		await rest.patchConfig({ ttl: 20 });
		answer = () => [409, "conflict"];
		await rest.patchConfig({ ttl: 20 });
		expect(verbs()).toEqual(["PATCH /config", "PATCH /config"]);
		answer = () => [503, "no configuration"];
		await expect(rest.patchConfig({ ttl: 20 })).rejects.toMatchObject({ code: "HF_REJECTED" });
	});

	test("a patch that changes nothing wakes Patroni", async () => {
		answer = () => [200, {}];
		await rest.wake();
		expect(calls[0]).toMatchObject({ method: "PATCH", path: "/config", body: { holdfast: null } });
	});

	test("a restart says what it is about, and is patient", async () => {
		answer = async () => {
			await sleep(2500);
			return [200, "restarted successfully"];
		};
		await rest.restart({ pendingOnly: true, role: "replica", timeout: 30, ms: 10_000 });
		expect(calls[0]!.body).toEqual({ restart_pending: true, role: "replica", timeout: 30 });
	});

	test("a restart that is not needed or under way is no failure; one that failed is", async () => {
		for (const words of ["restart conditions are not satisfied", "switchover: demote already in progress"]) {
			answer = () => [503, words];
			await rest.restart({ ms: 1000 });
		}
		answer = () => [503, "restart failed"];
		await expect(rest.restart({ ms: 1000 })).rejects.toThrow("503 restart failed");
	});

	test("cloning anew is spelled as the code reads it", async () => {
		answer = () => [200, "reinitialize started"];
		await rest.reinitialize({ force: true, fromLeader: true });
		expect(calls[0]!.body).toEqual({ force: true, from_leader: true });
	});
});

describe("switchover", () => {
	const replies = (words: Reply | undefined, ...leaders: (string | undefined)[]) => {
		answer = ({ path }) => {
			if (path !== "/cluster") return words;
			return [200, clusterOf(leaders.length > 1 ? leaders.shift() : leaders[0])];
		};
	};

	test("is done when the cluster names the new leader", async () => {
		replies([200, 'Successfully switched over to "pg-1"'], "pg-0", undefined, "pg-1");
		await rest.switchover("pg-0", "pg-1");
		expect(calls[0]!.body).toEqual({ leader: "pg-0", candidate: "pg-1" });
		expect(verbs().filter((verb) => verb === "GET /cluster")).toHaveLength(3);
	});

	test("fails when another one took over, whatever the status", async () => {
		replies([200, 'Switched over to "pg-2" instead of "pg-1"'], "pg-2");
		await expect(rest.switchover("pg-0", "pg-1")).rejects.toThrow(
			"switchover from pg-0 to pg-1 did not happen: pg-2 is leader now",
		);
	});

	test("a lost or unknown answer is looked into, never asked again", async () => {
		for (const lost of [undefined, [503, "Switchover status unknown"] as Reply]) {
			calls = [];
			replies(lost, "pg-0", "pg-1");
			await rest.switchover("pg-0", "pg-1");
			expect(verbs().filter((verb) => verb === "POST /switchover")).toHaveLength(1);
		}
	});

	test("fails when the old leader stays", async () => {
		replies([503, "Switchover failed"], "pg-0");
		await expect(rest.switchover("pg-0", "pg-1")).rejects.toThrow("pg-0 is leader now (Switchover failed)");
	});

	test("a refusal is told in Patroni's words, without looking further", async () => {
		replies([412, "candidate name does not match with sync_standby"], "pg-0");
		await expect(rest.switchover("pg-0", "pg-1")).rejects.toThrow("candidate name does not match");
		expect(verbs()).toEqual(["POST /switchover"]);
	});

	test("a failover is another verb and names no leader", async () => {
		replies([200, 'Successfully failed over to "pg-1"'], "pg-1");
		await rest.failover("pg-1");
		expect(calls[0]).toMatchObject({ path: "/failover", body: { candidate: "pg-1" } });
		replies([200, 'Failed over to "pg-2" instead of "pg-1"'], "pg-2");
		await expect(rest.failover("pg-1")).rejects.toThrow("failover to pg-1 did not happen");
	});
});
