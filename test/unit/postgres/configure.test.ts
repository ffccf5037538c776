import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Deadline } from "../../../runtime/deadline.ts";
import type { Host } from "../../../runtime/platform/host.ts";
import { configure } from "../../../runtime/postgres/configure.ts";
import type { PostgresRecord } from "../../../runtime/postgres/record.ts";
import type { Work } from "../../../runtime/postgres/work.ts";

/** A Patroni that answers from a copy of etcd's configuration which is behind for some reads after a patch. */
class FakePatroni {
	config: Record<string, unknown> = { ttl: 25, other: 1 };
	patches: unknown[] = [];
	/** Reads that still see the old configuration after a patch. */
	behind = 0;
	/** Patches that are refused because somebody else was faster. */
	conflicts = 0;
	/** Patches that change nothing, whatever they say. */
	deaf = false;
	#old: Record<string, unknown> | undefined;
	#reads = 0;
	readonly #server: Server;

	constructor() {
		this.#server = createServer(async (request, response) => {
			let body = "";
			for await (const chunk of request) body += chunk;
			const [status, answer] = this.#answer(`${request.method} ${request.url}`, body);
			response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
		});
	}

	async listen(): Promise<number> {
		await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
		return (this.#server.address() as AddressInfo).port;
	}

	async close(): Promise<void> {
		this.#server.closeAllConnections();
		await new Promise((resolve) => this.#server.close(resolve));
	}

	#answer(what: string, body: string): [number, unknown] {
		const patroni = { version: "4.1.5", scope: "pg0", name: "pg0-0" };
		if (what === "GET /patroni") return [200, { state: "running", role: "primary", patroni }];
		if (what === "GET /cluster") return [200, { members: [] }];
		if (what === "GET /config") return [200, this.#reads-- > 0 ? this.#old : this.config];
		this.patches.push(JSON.parse(body));
		if (this.conflicts-- > 0) return [409, {}];
		if (this.deaf) return [200, {}];
		this.#old = this.config;
		this.#reads = this.behind;
		const merged = Object.entries({ ...this.config, ...JSON.parse(body) }).filter(([, value]) => value !== null);
		this.config = Object.fromEntries(merged);
		return [200, this.config];
	}
}

let patroni: FakePatroni;
let work: Work;
let folder: string;

beforeEach(async () => {
	folder = mkdtempSync(join(tmpdir(), "holdfast-configure-"));
	process.env.HOLDFAST_HOME = folder;
	patroni = new FakePatroni();
	const address = { host: "127.0.0.1", port: await patroni.listen() };
	const record: PostgresRecord = {
		...{ system: "postgres", scope: "pg0", hosts: [{ name: "pg0-0", host: "127.0.0.1", port: 1, patroni: address }] },
		...{ superuser: { user: "postgres", password: "x" }, restapi: { user: "patroni", password: "y" } },
	};
	const access = { stack: "demo", cluster: "pg0" };
	work = { access, record, host: {} as Host, deadline: new Deadline("the test", 20_000) };
});
afterEach(async () => {
	await patroni.close();
	rmSync(folder, { recursive: true });
});

test("what differs is patched, what an earlier program set is removed, what others set stays", async () => {
	work.record.dynamic = { ttl: 25, loop_wait: 10 };
	patroni.config.loop_wait = 10;
	expect(await configure(work, { ttl: 20 })).toBe(true);
	expect([patroni.config, patroni.patches]).toEqual([{ ttl: 20, other: 1 }, [{ ttl: 20, loop_wait: null }]]);
	expect(work.record.dynamic).toEqual({ ttl: 20 });
	expect([await configure(work, { ttl: 20 }), patroni.patches.length]).toEqual([false, 1]);
});

test("a Patroni that does not see its own change yet is asked again, and so is one that was overtaken", async () => {
	patroni.behind = 3;
	expect(await configure(work, { ttl: 20 })).toBe(true);
	expect(patroni.config.ttl).toBe(20);
	patroni.behind = 0;
	patroni.conflicts = 2;
	expect(await configure(work, { ttl: 30 })).toBe(true);
	expect(patroni.config).toEqual({ ttl: 30, other: 1 });
});

test("what Patroni never takes is refused by name, and not taken for set", async () => {
	patroni.deaf = true;
	await expect(configure(work, { ttl: 20 })).rejects.toMatchObject({
		code: "HF_REJECTED",
		message: expect.stringMatching(/did not take the configuration of ttl of pg0/),
	});
	expect(work.record.dynamic).toBeUndefined();
});
