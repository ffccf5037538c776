import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { connect, createServer, type TLSSocket, type Server as TlsServer } from "node:tls";
import { promisify } from "node:util";
import { MongoClient, type MongoClientOptions } from "mongodb";
import { parse } from "yaml";
import { mongodConf } from "../../runtime/mongo/model.ts";
import { identityOf } from "../../runtime/tls/identity.ts";
import type { IdentityInputs } from "../../runtime/tls/model.ts";
import { certificateFolder, identity } from "../support/certificates.ts";
import { TestStack } from "../support/stack.ts";
import { psql, type Server, startMongod, startPostgres } from "../support/tlsServers.ts";

jest.setTimeout(400_000);

const filesOf = async (change: Partial<IdentityInputs>) => (await identityOf(identity(change))).files;
const HOSTS = { hosts: ["127.0.0.1"] };

describe("a TLS server that asks for certificates", () => {
	let server: TlsServer;
	let files: Record<string, string>;
	beforeAll(async () => {
		files = await filesOf({ ...HOSTS, services: ["patroni", "postgres", "client"], users: ["replicator"] });
		const own = { key: files["patroni.key"], cert: files["patroni.crt"], ca: files["ca.pem"] };
		server = createServer({ ...own, requestCert: true, minVersion: "TLSv1.2" }, (socket: TLSSocket) =>
			socket.end(String(socket.getPeerCertificate().subject.CN)),
		).listen(0, "127.0.0.1");
		await once(server, "listening");
	});
	afterAll(() => void server.close());

	const port = () => (server.address() as AddressInfo).port;
	/** The name that the server saw. */
	async function call(service: string | undefined, ca = files["ca.pem"], servername?: string): Promise<string> {
		const own = service === undefined ? {} : { key: files[`${service}.key`], cert: files[`${service}.crt`] };
		const socket = connect({ host: "127.0.0.1", port: port(), ca, servername, ...own }).setEncoding("utf8");
		let said = "";
		for await (const part of socket) said += part;
		// In TLS 1.3 a client is refused only after it thinks that all is well.
		if (said === "") throw new Error("hung up on");
		return said;
	}

	test("knows users and members that call it, and nobody else", async () => {
		expect(await call("client")).toBe("replicator");
		expect(await call("patroni")).toBe("db-0");
		for (const service of [undefined, "postgres"]) await expect(call(service)).rejects.toThrow(/hung up on|alert/);
	});

	test("is refused under another name, and by those who trust another generation", async () => {
		await expect(call("client", undefined, "db.example")).rejects.toThrow(/altnames/);
		const { ca } = await identityOf(identity({ generation: 2, trusted: [2] }));
		await expect(call("client", ca)).rejects.toThrow(/certificate/);
	});

	test("is taken by Python, as strict as it can be", async () => {
		const { path, remove } = certificateFolder(files);
		const program = [
			"import socket, ssl, sys",
			"context = ssl.create_default_context(cafile=sys.argv[1])",
			"context.verify_flags |= ssl.VERIFY_X509_STRICT",
			"context.load_cert_chain(sys.argv[2], sys.argv[3])",
			"raw = socket.create_connection(('127.0.0.1', int(sys.argv[4])), 10)",
			"print(context.wrap_socket(raw, server_hostname='127.0.0.1').recv(100).decode())",
		].join("\n");
		const args = [path("ca.pem"), path("patroni.crt"), path("patroni.key"), String(port())];
		const { stdout } = await promisify(execFile)("python3", ["-c", program, ...args], { timeout: 20_000 });
		remove();
		expect(stdout).toBe("db-0\n");
	});
});

describe("PostgreSQL", () => {
	let server: Server;
	beforeAll(async () => {
		const files = await filesOf({ ...HOSTS, services: ["postgres", "client"], users: ["app"] });
		const { ca } = await identityOf(identity({ generation: 2, trusted: [2] }));
		const hba = [
			"hostssl replication all 127.0.0.1/32 scram-sha-256 clientcert=verify-full",
			"hostssl all all 127.0.0.1/32 scram-sha-256",
			"host all all all reject",
		];
		const settings = ["ssl=on", "ssl_cert_file={{folder}}/postgres.crt", "ssl_key_file={{folder}}/postgres.key"];
		const minimum = ["ssl_ca_file={{folder}}/ca.pem", "ssl_min_protocol_version=TLSv1.2"];
		server = await startPostgres({ ...files, "other.pem": ca }, hba, [...settings, ...minimum]);
	});
	afterAll(() => server?.stop());

	const strict = (change: Record<string, string> = {}) => ({
		port: server.port,
		sslmode: "verify-full",
		sslrootcert: server.path("ca.pem"),
		channel_binding: "require",
		...change,
	});
	const SSL = "select ssl, version from pg_stat_ssl where pid = pg_backend_pid()";

	test("is verified by name, with channel binding", async () => {
		expect(await psql(strict(), SSL)).toBe("t|TLSv1.3");
	});

	test("is refused under another name, and by those who trust another CA", async () => {
		const renamed = { host: "localhost", hostaddr: "127.0.0.1" };
		await expect(psql(strict(renamed), SSL)).rejects.toThrow(/does not match host name "localhost"/);
		await expect(psql(strict({ sslrootcert: server.path("other.pem") }), SSL)).rejects.toThrow(/verify failed/);
	});

	test("takes nobody without TLS", async () => {
		const plain = { port: server.port, sslmode: "disable" };
		await expect(psql(plain, SSL)).rejects.toThrow(/pg_hba.conf rejects connection.*no encryption/);
	});

	test("knows a user by certificate, where it asks for one", async () => {
		const own = { sslcert: server.path("client.crt"), sslkey: server.path("client.key"), replication: "true" };
		expect(await psql(strict(own), "IDENTIFY_SYSTEM")).toMatch(/^\d+\|1\|/);
		const { sslcert: _, ...without } = own;
		await expect(psql(strict({ ...without, sslcert: "/none" }), "IDENTIFY_SYSTEM")).rejects.toThrow(
			/client certificate/,
		);
	});
});

describe("mongod", () => {
	const servers: Server[] = [];
	afterAll(() => Promise.all(servers.map((server) => server.stop())));
	let ca: string;

	/** Under the very settings that a member gets. */
	async function start(tls: "prefer" | "require"): Promise<Server> {
		const made = await identityOf(identity({ ...HOSTS, services: ["mongod"] }));
		ca = made.ca;
		const files = Object.entries(made.files).map(([name, text]) => [`conf/tls/${name}`, text]);
		const conf = mongodConf({ replicaSet: "rs0", address: { host: "127.0.0.1", port: 1 }, cacheSizeGB: 0.25, tls });
		const server = await startMongod(Object.fromEntries(files), parse(conf).net.tls);
		servers.push(server);
		await ping(server, { tls: true, ca, serverSelectionTimeoutMS: 20_000 });
		return server;
	}
	async function ping({ port }: Server, options: MongoClientOptions, host = "127.0.0.1"): Promise<unknown> {
		const uri = `mongodb://${host}:${port}/?directConnection=true`;
		const client = new MongoClient(uri, { serverSelectionTimeoutMS: 2000, ...options });
		try {
			return (await client.db("admin").command({ ping: 1 })).ok;
		} finally {
			await client.close();
		}
	}

	test("in mode require: verified by address, and no plaintext", async () => {
		const server = await start("require");
		expect(await ping(server, { tls: true, ca })).toBe(1);
		await expect(ping(server, { tls: true, ca }, "localhost")).rejects.toThrow(/altnames/);
		const other = await identityOf(identity({ generation: 2, trusted: [2] }));
		await expect(ping(server, { tls: true, ca: other.ca })).rejects.toThrow(/certificate/);
		await expect(ping(server, {})).rejects.toThrow(/closed/);
	});

	test("in mode prefer: both", async () => {
		const server = await start("prefer");
		expect(await ping(server, { tls: true, ca })).toBe(1);
		expect(await ping(server, {})).toBe(1);
	});
});

describe("a stack's replica set", () => {
	afterAll(() => TestStack.destroyAll());

	test("goes from allow to require one mode and one member at a time, and clients follow", async () => {
		const roles = [{ role: "read", db: "app" }];
		const stack = await TestStack.create("tls", { tls: { mode: "allow" }, users: { app: { roles } } });
		const file = (slot: number, name: string) => readFileSync(join(stack.member(slot), "conf", name), "utf8");
		const modes = () => [0, 1, 2].map((slot) => parse(file(slot, "mongod.conf")).net.tls.mode);
		const ping = async (options: MongoClientOptions, uri?: string) => {
			const client = new MongoClient(uri ?? (await stack.uri("app")), { serverSelectionTimeoutMS: 5000, ...options });
			return client
				.db("app")
				.command({ ping: 1 })
				.then(({ ok }) => ok as unknown)
				.finally(() => client.close());
		};

		await stack.must("up");
		const ca = file(0, "tls/ca.pem");
		expect(await stack.uri("app")).not.toContain("tls=");
		expect([await ping({}), await ping({ tls: true, ca })]).toEqual([1, 1]);

		stack.configure({ tls: { mode: "require" } });
		const refused = await stack.holdfast("up");
		expect(refused.code).not.toBe(0);
		expect(`${refused.stdout}${refused.stderr}`).toContain("set it to prefer");
		expect(modes()).toEqual(Array(3).fill("allowTLS"));

		// The CA is rotated on the way: trusted in one step, in force in the next.
		const steps = [
			{ mode: "prefer", trusted: [1, 2] },
			{ mode: "require", trusted: [1, 2], generation: 2 },
		];
		for (const tls of steps) {
			stack.configure({ tls });
			await stack.must("up");
			expect(modes()).toEqual(Array(3).fill(`${tls.mode}TLS`));
			expect(await stack.uri("app")).toContain("&tls=true&");
			expect(await ping({ ca: file(0, "tls/ca.pem") })).toBe(1);
		}
		await expect(ping({ ca })).rejects.toThrow(/certificate/);
		await expect(ping({}, (await stack.uri("app")).replace("&tls=true", ""))).rejects.toThrow(/closed/);
		expect(await stack.changes()).toEqual({ same: expect.any(Number) });
		await stack.whole();
		const { stdout: state } = await stack.pulumi("stack", "export");
		expect(state).toContain("tls:Identity");
		expect(state).not.toContain("PRIVATE KEY");
	});
});
