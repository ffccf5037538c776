import fc from "fast-check";
import { parse } from "yaml";
import { patroniArgumentsSchema } from "../../../runtime/postgres/arguments.ts";
import { dynamicConfig } from "../../../runtime/postgres/dynamic.ts";
import { patroniYml } from "../../../runtime/postgres/patroniYml.ts";
import { type PatroniSecrets, parseSecrets, secretsYml } from "../../../runtime/postgres/secretsYml.ts";
import { patroniSettings } from "../../../runtime/postgres/settings.ts";
import { patroniTopology } from "../../../runtime/postgres/topology.ts";
import { yamlText } from "../../../runtime/postgres/yamlText.ts";
import { loopback } from "../../support/loopback.ts";

const seed = Number(process.env.HOLDFAST_SEED) || Date.now() % 2 ** 31;

function text(declared: object = {}, slot = 0): string {
	const settings = patroniSettings(patroniArgumentsSchema.parse(declared));
	const { members, etcdFor } = patroniTopology("pg", settings, loopback);
	const { name, addresses } = members[slot]!;
	return patroniYml({ settings, name, addresses, etcd: etcdFor(slot) });
}
const yml = (declared: object = {}, slot = 0) => parse(text(declared, slot), { version: "1.1" });

test("is a function of settings, slot and addresses", () => {
	const settings = patroniSettings(patroniArgumentsSchema.parse({}));
	expect(yml({}, 1)).toMatchObject({
		...{ scope: "pg0", namespace: "/service/", name: "pg-1" },
		log: { dir: "{{folder}}/log", file_size: 8_388_608, file_num: 4, mode: 0o600 },
		restapi: { listen: "127.0.1.2:8009", connect_address: "127.0.1.2:8009", authentication: { username: "patroni" } },
		etcd3: { hosts: ["127.0.1.2:2381", "127.0.1.1:2379", "127.0.1.3:2383"], username: "patroni", protocol: "http" },
		bootstrap: { dcs: dynamicConfig(settings) },
		postgresql: {
			...{ listen: "127.0.1.2:5433", connect_address: "127.0.1.2:5433", data_dir: "{{folder}}/data/postgres" },
			...{ pgpass: "{{folder}}/run/pgpass", use_unix_socket: false, use_unix_socket_repl: false },
			parameters: { unix_socket_directories: "", log_directory: "{{folder}}/log", ssl: "off" },
			...{ remove_data_directory_on_rewind_failure: false, remove_data_directory_on_diverged_timelines: false },
		},
		watchdog: { mode: "off" },
	});
	expect(yml()).not.toHaveProperty("ctl");
	expect(yml({ members: 5 }, 4).etcd3.hosts).toEqual(["127.0.1.1:2379", "127.0.1.2:2381", "127.0.1.3:2383"]);
});

test("collation never depends on libc", () => {
	expect(yml({ version: 18 }).bootstrap.initdb).toEqual([
		"data-checksums",
		...[{ encoding: "UTF8" }, { "locale-provider": "builtin" }, { "builtin-locale": "C.UTF-8" }, { locale: "C" }],
		...[{ "auth-host": "scram-sha-256" }, { "auth-local": "scram-sha-256" }],
	]);
	expect(yml({ version: 16 }).bootstrap.initdb).toEqual([
		"data-checksums",
		...[{ encoding: "UTF8" }, { locale: "C" }],
		...[{ "auth-host": "scram-sha-256" }, { "auth-local": "scram-sha-256" }],
	]);
});

test("with TLS every connection is verified, in both directions where something can be changed", () => {
	const found = yml({ tls: {} });
	const own = { certfile: "{{folder}}/live/tls/patroni.crt", keyfile: "{{folder}}/live/tls/patroni.key" };
	const ca = "{{folder}}/live/tls/ca.pem";
	const verify = { sslmode: "verify-full", sslrootcert: ca, channel_binding: "require" };
	const client = { sslcert: "{{folder}}/live/tls/client.crt", sslkey: "{{folder}}/live/tls/client.key" };
	expect(found.restapi).toMatchObject({ ...own, cafile: ca, verify_client: "optional" });
	expect(found.ctl).toEqual({ ...own, cacert: ca });
	const caller = { cert: "{{folder}}/live/tls/etcd-client.crt", key: "{{folder}}/live/tls/etcd-client.key" };
	expect(found.etcd3).toMatchObject({ protocol: "https", cacert: ca, ...caller });
	expect(found.postgresql.authentication).toEqual({
		superuser: { username: "postgres", ...verify },
		replication: { username: "replicator", ...verify, ...client },
		rewind: { username: "rewind_user", ...verify, ...client },
	});
	expect(found.postgresql.parameters).toMatchObject({ ssl: "on", ssl_ca_file: ca });
	expect(found.postgresql.pg_hba[0]).toBe("hostnossl all all all reject");
});

test("holds no password, and no machine's path", () => {
	for (const one of [text(), text({ tls: {} })]) {
		expect(one).not.toMatch(/password: /);
		expect(one.replaceAll("{{folder}}/", "").match(/"\/[^"]*"/g)).toEqual(['"/service/"', '"/dev/watchdog"']);
	}
});

test("is ASCII, and text is text to readers of YAML 1.1", () => {
	const value = {
		a: "on",
		b: "1_000",
		c: "12:30",
		d: "é漢😀\u0085\u2028\u007f\ufeff",
		e: "x: #y",
		f: 5,
		g: true,
		h: "a\nb",
	};
	const written = yamlText(value);
	expect(written).toMatch(/^[\n\x20-\x7e]*$/);
	expect(written).toContain('d: "\\u00e9\\u6f22\\U0001f600\\u0085\\u2028\\u007f\\ufeff"');
	expect(written).toContain('a: "on"');
	expect(parse(written, { version: "1.1" })).toEqual(value);
});

const secrets: PatroniSecrets = { superuser: "s", replication: "r", rewind: "w", rest: "p", etcd: "e" };

test("secrets are refused where they could not work", () => {
	expect(() => secretsYml({ ...secrets, replication: "a\nb" })).toThrow("line breaks");
	expect(() => secretsYml({ ...secrets, rest: "é" })).toThrow("ASCII");
	expect(parseSecrets("a: 1\n")).toBeUndefined();
	expect(parseSecrets("")).toBeUndefined();
});

test(`secrets of any characters come back (seed ${seed})`, () => {
	const sign = fc.oneof(
		fc.constantFrom(..."$'\"\\`:#%{}[]!&*-?|>@, \t\u0085\u2028\u00a0\ufeff\u007f"),
		fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
	);
	const password = fc.string({ unit: sign, minLength: 1, maxLength: 60 }).filter((text) => !/[\0\r\n]/.test(text));
	fc.assert(
		fc.property(password, password, password, password, (superuser, replication, rewind, etcd) => {
			const given = { ...secrets, superuser, replication, rewind, etcd };
			const written = secretsYml(given);
			expect(written).toMatch(/^[\n\x20-\x7e]*$/);
			expect(parseSecrets(written)).toEqual(given);
		}),
		{ seed, numRuns: 300 },
	);
});
