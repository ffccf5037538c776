import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { addLearner, get, memberList, status } from "../../../runtime/etcd/api.ts";
import { EtcdGateway, type GatewayOptions } from "../../../runtime/etcd/gateway.ts";
import type { EtcdError } from "../../../runtime/etcd/transport.ts";

type Answer = { status?: number; body: object | string } | "silence" | "hang up";
type Asked = { path: string; body: Record<string, string>; token: string };

const servers: Server[] = [];
const gateways: EtcdGateway[] = [];
afterEach(async () => {
	for (const gateway of gateways.splice(0)) await gateway.close();
	for (const server of servers.splice(0)) {
		server.closeAllConnections();
		await new Promise((done) => server.close(done));
	}
});

/** An endpoint that answers as it is told, and notes what it was asked. */
async function endpoint(answer: (asked: Asked) => Answer): Promise<{ url: string; asked: Asked[] }> {
	const asked: Asked[] = [];
	const read = async (request: IncomingMessage) => {
		let text = "";
		for await (const chunk of request) text += chunk;
		return JSON.parse(text);
	};
	const server = createServer(async (request, response) => {
		const token = request.headers.authorization ?? "";
		const one = { path: request.url!.replace("/v3/", ""), body: await read(request), token };
		asked.push(one);
		const said = answer(one);
		if (said === "hang up") request.socket.destroy();
		if (typeof said === "string") return;
		response.statusCode = said.status ?? 200;
		response.end(typeof said.body === "string" ? said.body : JSON.stringify(said.body));
	});
	servers.push(server);
	await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
	return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

function gatewayTo(options: GatewayOptions): EtcdGateway {
	const gateway = new EtcdGateway(options);
	gateways.push(gateway);
	return gateway;
}

const refusal = (message: string, code = 9): Answer => ({
	status: 400,
	body: { code, message: `etcdserver: ${message}` },
});
const members = { header: { cluster_id: "18446744073709551615", member_id: "1" }, members: [{ ID: "255" }] };
const paths = (asked: Asked[]) => asked.map(({ path }) => path);
const caught = (promise: Promise<unknown>): Promise<EtcdError> =>
	promise.then(
		() => {
			throw new Error("it succeeded");
		},
		(error) => error,
	);
const nobody = async () => {
	const { url } = await endpoint(() => "silence");
	const server = servers.pop()!;
	await new Promise((done) => server.close(done));
	return url;
};

test("reads are asked of one endpoint after the other; ids are hexadecimal text", async () => {
	const silent = await endpoint(() => "silence");
	const rude = await endpoint(() => "hang up");
	const well = await endpoint(() => ({ body: members }));
	const gateway = gatewayTo({ endpoints: [await nobody(), silent.url, rude.url, well.url] });
	expect(await memberList(gateway, { ms: 200 })).toEqual({
		clusterId: "ffffffffffffffff",
		answeredBy: "1",
		members: [{ id: "ff", name: "", peerURLs: [], clientURLs: [], isLearner: false }],
	});
	expect([silent, rude, well].map(({ asked }) => asked.length)).toEqual([1, 1, 1]);
	expect(well.asked[0]!.body).toEqual({ linearizable: true });
});

test("a change is asked elsewhere only when it was surely not sent", async () => {
	const rude = await endpoint(() => "hang up");
	const well = await endpoint(() => ({ body: { member: { ID: "16", isLearner: true } } }));
	const sure = gatewayTo({ endpoints: [await nobody(), well.url] });
	expect(await addLearner(sure, "http://b:1")).toMatchObject({ id: "10", isLearner: true });
	expect(well.asked[0]!.body).toEqual({ peerURLs: ["http://b:1"], isLearner: true });
	const unsure = gatewayTo({ endpoints: [rude.url, well.url] });
	const error = await caught(addLearner(unsure, "http://b:1"));
	expect(error).toMatchObject({ code: "HF_UNREACHABLE", outcome: "unknown" });
	expect(error.message).toContain(`cluster/member/add at ${rude.url}`);
	expect(well.asked).toHaveLength(1);
});

test("what etcd says tells whether it may have happened", async () => {
	const said = async (answer: Answer) =>
		caught(addLearner(gatewayTo({ endpoints: [(await endpoint(() => answer)).url] }), "http://b:1"));
	expect(await said(refusal("member not found", 5))).toMatchObject({ code: "HF_REJECTED", outcome: "refused" });
	expect(await said(refusal("request timed out", 14))).toMatchObject({ code: "HF_UNREACHABLE", outcome: "unknown" });
	expect(await said({ status: 503, body: "<html>" })).toMatchObject({ outcome: "unknown" });
	expect(await said({ status: 404, body: "404 page not found" })).toMatchObject({ outcome: "refused" });
	expect(await said({ body: "no json" })).toMatchObject({ outcome: "unknown" });
	expect((await said(refusal("mvcc: database space exceeded", 8))).next).toContain("compact, defragment");
	expect(await caught(get(gatewayTo({ endpoints: [] }), "k"))).toMatchObject({ code: "HF_UNREACHABLE" });
});

describe("logins", () => {
	const secret = "s3cret$'\"";
	/** Accepts `password`, and tokens that it gave. */
	const guarded = (password: string, said: { tokens: string[]; learner?: boolean }) =>
		endpoint(({ path, body, token }) => {
			if (said.learner && path !== "maintenance/status") return refusal("rpc not supported for learner");
			if (path === "auth/authenticate") {
				if (body.password !== password) return refusal("authentication failed, invalid user ID or password", 3);
				said.tokens.push(`token-${said.tokens.length}`);
				return { body: { token: said.tokens.at(-1) } };
			}
			if (token === "") return refusal("user name is empty", 3);
			return said.tokens.includes(token) ? { body: members } : refusal("invalid auth token", 16);
		});
	const credentials = [{ user: "root", password: secret }];

	test("happen once an endpoint, and again when the token is not known any more", async () => {
		const said = { tokens: [] as string[] };
		const { url, asked } = await guarded(secret, said);
		const gateway = gatewayTo({ endpoints: [url], credentials });
		await memberList(gateway);
		await memberList(gateway);
		said.tokens[0] = "forgotten";
		await memberList(gateway);
		const list = "cluster/member/list";
		expect(paths(asked)).toEqual(["auth/authenticate", list, list, list, "auth/authenticate", list]);
		expect(asked[1]!.token).toBe("token-0");
	});

	test("try the passwords in turn; a cluster without users takes any, and none is sent twice", async () => {
		const { url } = await guarded(secret, { tokens: [] });
		const rotated = gatewayTo({ endpoints: [url], credentials: [{ user: "root", password: "new" }, ...credentials] });
		await memberList(rotated);
		const open = await endpoint(({ path }) =>
			path === "auth/authenticate" ? refusal("authentication is not enabled") : { body: members },
		);
		const gateway = gatewayTo({ endpoints: [open.url], credentials });
		await memberList(gateway);
		await memberList(gateway);
		expect(paths(open.asked)).toEqual(["auth/authenticate", "cluster/member/list", "cluster/member/list"]);
		expect(await gateway.accepts(credentials[0]!)).toBe(true);
	});

	test("at a learner are made at a voter, whose token counts a moment later", async () => {
		const said = { tokens: [] as string[] };
		const voter = await guarded(secret, said);
		let asked = 0;
		const learner = await endpoint(({ path, token }) => {
			if (path !== "maintenance/status") return refusal("rpc not supported for learner");
			return said.tokens.includes(token) && ++asked > 1 ? { body: members } : refusal("invalid auth token", 16);
		});
		const gateway = gatewayTo({ endpoints: [voter.url, learner.url], credentials });
		expect(await status(gateway, learner.url)).toMatchObject({ clusterId: "ffffffffffffffff", memberId: "1" });
	});

	test("that fail say so, and nothing of what was sent", async () => {
		const { url } = await guarded("another", { tokens: [] });
		const wrong = gatewayTo({ endpoints: [url], credentials });
		const none = gatewayTo({ endpoints: [url] });
		const errors = [await caught(memberList(wrong)), await caught(memberList(none))];
		for (const error of errors) {
			expect(error).toMatchObject({ code: "HF_CREDENTIALS", outcome: "refused" });
			expect(error.message).toContain(url);
			expect(`${error.stack}${JSON.stringify(error)}`).not.toContain(secret.slice(0, 6));
		}
		expect(await wrong.accepts(credentials[0]!)).toBe(false);
	});
});
