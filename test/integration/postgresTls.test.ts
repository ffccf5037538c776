import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { identityOf } from "../../runtime/tls/identity.ts";
import { long } from "../support/long.ts";
import { PostgresWriters, prepareAcks } from "../support/postgresWriters.ts";
import { TestStack } from "../support/stack.ts";
import { postgresWithTls } from "../support/tlsServers.ts";

jest.setTimeout(400_000);

const PASSPHRASE = "correct horse battery staple";
const secrets = { "holdfast:secrets": { postgres: { tls: PASSPHRASE } } };
const run = promisify(execFile);
let stack: TestStack;
let folder = "";
let bin = "";

beforeAll(async () => {
	bin = await postgresWithTls();
	folder = mkdtempSync(join(tmpdir(), "holdfast-tls-client-"));
	const { stdout } = await run(join(bin, "postgres"), ["--version"]);
	const version = Number(/(\d+)\./.exec(stdout)![1]);
	stack = await TestStack.createPostgres("pgtls", { members: 2, version, tls: {}, roles: { app: {} } });
	stack.configurePostgres({}, secrets);
});

afterAll(async () => {
	await TestStack.destroyAll();
	rmSync(folder, { recursive: true, force: true });
});

/** The client's copy of the CAs, which connection strings name. */
async function fetchAuthority(): Promise<void> {
	const { stdout } = await stack.must("connect", "postgres", "--form", "ca");
	writeFileSync(join(folder, "holdfast-ca.pem"), stdout);
}

/** What psql says, or why it does not. */
async function psql(uri: string, sql: string): Promise<string> {
	try {
		return (await run(join(bin, "psql"), [uri, "-XAtc", sql], { cwd: folder })).stdout.trim();
	} catch (error) {
		return (error as { stderr: string }).stderr.trim();
	}
}

const tlsFolder = (slot: number) => join(stack.member(slot, "pg0"), "live", "tls");
const read = (slot: number, file: string) => readFileSync(join(tlsFolder(slot), file), "utf8");

const ENCRYPTED =
	"SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE client_addr IS NOT NULL";

test("every connection is encrypted and verified; nothing else is let in", async () => {
	await stack.must("up");
	await fetchAuthority();
	const uri = await stack.connection("postgres", "app");
	expect(uri).toContain("sslmode=verify-full&sslrootcert=holdfast-ca.pem&channel_binding=require");
	expect(await psql(uri, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")).toBe("t");
	expect(await psql(uri.replace("verify-full", "disable").replace("channel_binding=require", ""), "SELECT 1")).toMatch(
		/no encryption/,
	);
	const superuser = await stack.connection("postgres", "postgres");
	expect(await psql(superuser, ENCRYPTED)).toBe("t");
	const standbys =
		"SELECT count(*), bool_and(ssl), min(client_dn) FROM pg_stat_replication JOIN pg_stat_ssl USING (pid)";
	expect(await psql(superuser, standbys)).toBe("1|t|/O=pg0/OU=client/CN=patroni");
	const [member] = stack.clusterRecord<{ hosts: { patroni: { host: string; port: number } }[] }>("pg0").hosts;
	const { host, port } = member!.patroni;
	await expect(fetch(`http://${host}:${port}/patroni`)).rejects.toThrow();
	const change = ["-sk", "-o", "/dev/null", "-w", "%{http_code}", "-X", "POST", `https://${host}:${port}/reload`];
	expect((await run("curl", change)).stdout).toMatch(/^40[13]$/);
	expect(await stack.changes()).toEqual({ same: expect.any(Number) });
});

test("certificates are the same wherever they are made", async () => {
	const hosts = ["127.0.1.2", "127.0.0.1"];
	const services = ["postgres", "patroni", "etcd", "etcd-client", "peer", "client"] as const;
	const elsewhere = await identityOf({
		...{ cluster: "pg0", member: "pg0-1", hosts, services: [...services], users: ["patroni"] },
		...{ passphrase: PASSPHRASE, generation: 1, trusted: [1], epoch: "2026-01-01", days: 3650 },
	});
	const here = Object.fromEntries(readdirSync(tlsFolder(1)).map((file) => [file, read(1, file)]));
	expect(here).toEqual(elsewhere.files);
});

const inLongForm: typeof test | (() => void) = long ? test : () => {};

inLongForm("a new authority rolls in under writers: trusted first, then in force, then alone", async () => {
	const first = read(0, "postgres.crt");
	const { hosts } = stack.clusterRecord<{ hosts: { host: string; port: number }[] }>("pg0");
	const superPassword = new URL((await stack.connection("postgres", "postgres")).replace(/@[^/]*/, "@h")).password;
	// Whom these writers talk to is not what is tested here: they must outlive the authority they began with.
	const ssl = { rejectUnauthorized: false };
	const login = { user: "postgres", password: decodeURIComponent(superPassword), database: "postgres", ssl };
	await prepareAcks(hosts, login);
	const writers = new PostgresWriters(hosts, login);
	await writers.progress(20);
	for (const tls of [{ trusted: [1, 2] }, { generation: 2, trusted: [1, 2] }, { generation: 2 }]) {
		stack.configurePostgres({ tls }, secrets);
		await stack.must("up");
	}
	await writers.progress(20);
	const { errors } = await writers.stop();
	expect(errors).toEqual([]);
	expect(read(0, "postgres.crt")).not.toBe(first);
	expect(read(0, "ca.pem").match(/BEGIN CERTIFICATE/g)).toHaveLength(1);
	const uri = await stack.connection("postgres", "app");
	expect(await psql(uri, "SELECT 1")).toMatch(/certificate verify failed/);
	await fetchAuthority();
	expect(await psql(uri, "SELECT 1")).toBe("1");
	stack.configurePostgres({ tls: { generation: 3 } }, secrets);
	const { stdout, stderr, code } = await stack.holdfast("up");
	expect([code, stdout + stderr]).toEqual([expect.any(Number), expect.stringContaining("HF_SETTING")]);
	expect(code).not.toBe(0);
});
