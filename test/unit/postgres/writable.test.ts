import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { isFailover, isRefused, type MemberAddress } from "../../../runtime/postgres/connect.ts";
import { findWritable, withWritable } from "../../../runtime/postgres/writable.ts";

/** Port 1 has nobody: neither a PostgreSQL nor a Patroni. */
const DEAD = { host: "127.0.0.1", port: 1 };
const servers: Server[] = [];

/** A member whose Patroni answers `/primary` with `status`, or never; its PostgreSQL is not there. */
async function member(status: number | "silence"): Promise<MemberAddress> {
	const server = createServer((request, response) => {
		if (request.url === "/primary" && status !== "silence") response.writeHead(status).end("{}");
	});
	servers.push(server);
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	return { ...DEAD, patroni: { host: "127.0.0.1", port: (server.address() as AddressInfo).port } };
}

afterEach(() => {
	for (const server of servers.splice(0)) {
		server.closeAllConnections();
		server.close();
	}
});

test("the member whose Patroni holds the leader's key is found at once, whatever the others do", async () => {
	const hosts = [await member("silence"), await member(503), await member(200), { ...DEAD, patroni: DEAD }];
	// Longer than a test may take: whoever waited for all would not come back.
	expect(await findWritable({ hosts }, [], { askMs: 600_000 })).toBe(hosts[2]);
});

test("nobody is found where nobody leads, and no later than all had time to answer", async () => {
	const hosts = [await member("silence"), await member(503), await member(500), { ...DEAD, patroni: DEAD }, DEAD];
	expect(await findWritable({ hosts }, [{ user: "a", password: "b" }], { askMs: 300 })).toBeUndefined();
});

test("without a leader the search ends in time, naming the members", async () => {
	const hosts = [await member(503), await member(503)];
	const search = withWritable({ hosts }, [{ user: "a", password: "b" }], async () => 1, { findMs: 100, askMs: 100 });
	await expect(search).rejects.toThrow(/^HF_UNREACHABLE: there is no leader .*127\.0\.0\.1:1, 127\.0\.0\.1:1/);
});

test("a leader that cannot be reached is looked for again, and said to be the reason", async () => {
	const hosts = [await member(200)];
	const search = withWritable({ hosts }, [{ user: "a", password: "b" }], async () => 1, { findMs: 100 });
	await expect(search).rejects.toThrow(/^HF_UNREACHABLE: .*ECONNREFUSED/);
});

test("a failover is told from a refusal and from a mistake", () => {
	const answer = (code: string) => Object.assign(new Error("x"), { code, severity: "ERROR" });
	for (const code of ["57P01", "57P02", "57P03", "08006", "25006"]) expect(isFailover(answer(code))).toBe(true);
	for (const code of ["28P01", "42601", "23505", "53300", "57014"]) expect(isFailover(answer(code))).toBe(false);
	for (const message of ["Connection terminated unexpectedly", "Query read timeout", "timeout expired"])
		expect(isFailover(new Error(message))).toBe(true);
	expect(isFailover(Object.assign(new Error("read"), { code: "ECONNRESET" }))).toBe(true);
	for (const mistake of [new TypeError("x is not a function"), new Error("mine"), "text", undefined])
		expect(isFailover(mistake)).toBe(false);
	expect([isRefused(answer("28P01")), isRefused(answer("28000")), isRefused(answer("3D000"))]).toEqual([
		true,
		true,
		false,
	]);
});
