import fc from "fast-check";
import { jdbcUrl, pgpassLines, postgresUri } from "../../../runtime/postgres/uri.ts";

const seed = Number(process.env.HOLDFAST_SEED) || Date.now() % 2 ** 31;
const parts = {
	hosts: [
		{ host: "127.0.1.1", port: 5432 },
		{ host: "fd00::1", port: 5433 },
	],
	...{ user: "u", password: "p", database: "app", mode: "read-write" as const },
};

/** As libpq reads a connection URI (fe-connect.c, conninfo_uri_parse_options). */
function read(uri: string) {
	const [, user, password, hosts, database, query] = /^postgresql:\/\/([^:@]*):([^@]*)@([^/]*)\/([^?]*)\?(.*)$/.exec(
		uri,
	)!;
	const options = query!.split("&").map((pair) => pair.split("=").map(decodeURIComponent) as [string, string]);
	return {
		...{ user: decodeURIComponent(user!), password: decodeURIComponent(password!), hosts: hosts!.split(",") },
		...{ database: decodeURIComponent(database!), options: Object.fromEntries(options) },
	};
}

test("names all members, where to go, and when to give up", () => {
	expect(postgresUri(parts)).toBe(
		"postgresql://u:p@127.0.1.1:5432,[fd00::1]:5433/app?target_session_attrs=read-write&connect_timeout=3" +
			"&keepalives_idle=10&keepalives_interval=5&keepalives_count=3&tcp_user_timeout=15000",
	);
	expect(read(postgresUri({ ...parts, mode: "read-only" })).options).toMatchObject({
		target_session_attrs: "prefer-standby",
	});
});

test("with TLS the server is verified and the login bound to the connection", () => {
	const tls = { rootCert: "/etc/my certs/ca.pem" };
	expect(read(postgresUri({ ...parts, tls })).options).toMatchObject({
		...{ sslmode: "verify-full", sslrootcert: "/etc/my certs/ca.pem", channel_binding: "require" },
	});
	expect(jdbcUrl({ ...parts, tls })).toContain("&sslmode=verify-full&sslrootcert=%2Fetc%2Fmy%20certs%2Fca.pem&");
});

test("options are added and replace defaults", () => {
	const { options } = read(postgresUri({ ...parts, options: { load_balance_hosts: "random", connect_timeout: 9 } }));
	expect(options).toMatchObject({ load_balance_hosts: "random", connect_timeout: "9", keepalives_idle: "10" });
});

test("JDBC has its own words, and no credentials", () => {
	expect(jdbcUrl(parts)).toBe(
		"jdbc:postgresql://127.0.1.1:5432,[fd00::1]:5433/app?targetServerType=primary&connectTimeout=3&tcpKeepAlive=true",
	);
	const readers = jdbcUrl({ ...parts, mode: "read-only", options: { socketTimeout: 60 } });
	expect(readers).toContain("?targetServerType=preferSecondary&loadBalanceHosts=true&");
	expect(readers).toContain("&socketTimeout=60");
});

/** As libpq reads a pgpass line: fields end at a colon, a backslash takes the next character as it stands. */
function fields(line: string): string[] {
	const found = [""];
	for (let i = 0; i < line.length; i++) {
		if (line[i] === ":") found.push("");
		else found[found.length - 1] += line[i] === "\\" ? line[++i]! : line[i]!;
	}
	return found;
}

test("pgpass has a line for each member, where a line can hold it", () => {
	expect(pgpassLines({ ...parts, password: "a:b\\c" })).toBe(
		"127.0.1.1:5432:app:u:a\\:b\\\\c\nfd00\\:\\:1:5433:app:u:a\\:b\\\\c\n",
	);
	for (const password of ["a\nb", "a\rb", "a\0b"]) expect(pgpassLines({ ...parts, password })).toBeUndefined();
});

test("a NUL, which PostgreSQL has in no text, is refused", () => {
	expect(() => postgresUri({ ...parts, password: "a\0b" })).toThrow("NUL");
});

test(`clients read back what went in (seed ${seed})`, () => {
	const sign = fc.oneof(
		fc.constantFrom(...`@:/%"' $,\\?&=#+[]\n\``),
		fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
	);
	const text = fc.string({ unit: sign, minLength: 1, maxLength: 60 });
	fc.assert(
		fc.property(text, text, text, (user, password, database) => {
			const uri = postgresUri({ ...parts, user, password, database });
			expect(uri).toMatch(/^[A-Za-z0-9_.~%:/@,?&=[\]-]+$/);
			expect(read(uri)).toMatchObject({ user, password, database, hosts: ["127.0.1.1:5432", "[fd00::1]:5433"] });
			const lines = pgpassLines({ ...parts, user, password, database });
			if (lines === undefined) expect(user + password + database).toMatch(/[\0\r\n]/);
			else expect(fields(lines.split("\n")[0]!)).toEqual(["127.0.1.1", "5432", database, user, password]);
		}),
		{ seed, numRuns: 300 },
	);
});
