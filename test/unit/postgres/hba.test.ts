import { pgHba } from "../../../runtime/postgres/hba.ts";

const plain = { replicationUser: "replicator", rewindUser: "rewind_user", tls: false };

/** Of PostgreSQL's rules what these lines use: the first line that matches decides, and no line is a no. */
function verdict(lines: string[], type: string, database: string, user: string): string {
	for (const line of lines) {
		const [, kind, wantedDatabase, wantedUser, rest] = /^(\w+) (\w+) ("(?:[^"]|"")+"|\w+) (.*)$/.exec(line)!;
		const types = { host: ["host", "hostssl"], hostssl: ["hostssl"], hostnossl: ["host"], local: ["local"] }[kind!]!;
		if (!types.includes(type)) continue;
		if (wantedDatabase === "all" ? database === "replication" : wantedDatabase !== database) continue;
		if (wantedUser !== "all" && wantedUser !== `"${user.replaceAll('"', '""')}"`) continue;
		return rest!.replace(/^all /, "");
	}
	return "none";
}

test.each([
	["host", "replication", "replicator", "scram-sha-256"],
	["host", "replication", "postgres", "reject"],
	["host", "app", "replicator", "reject"],
	["host", "postgres", "rewind_user", "scram-sha-256"],
	["host", "app", "rewind_user", "reject"],
	["host", "app", "anybody", "scram-sha-256"],
	["local", "app", "postgres", "scram-sha-256"],
	["local", "replication", "replicator", "none"],
])("without TLS, %s to %s as %s: %s", (type, database, user, expected) => {
	expect(verdict(pgHba(plain), type, database, user)).toBe(expected);
});

test.each([
	["host", "app", "postgres", "reject"],
	// `all` does not mean replication: without a line of its own it is refused, too.
	["host", "replication", "replicator", "none"],
	["hostssl", "replication", "replicator", "scram-sha-256 clientcert=verify-ca"],
	["hostssl", "postgres", "rewind_user", "scram-sha-256 clientcert=verify-ca"],
	["hostssl", "replication", "postgres", "reject"],
	["hostssl", "app", "postgres", "scram-sha-256"],
])("with TLS, %s to %s as %s: %s", (type, database, user, expected) => {
	expect(verdict(pgHba({ ...plain, tls: true }), type, database, user)).toBe(expected);
});

test("nothing weaker than SCRAM is ever admitted", () => {
	for (const line of [...pgHba(plain), ...pgHba({ ...plain, tls: true })])
		expect(line).toMatch(/(scram-sha-256( clientcert=verify-ca)?|reject)$/);
});

test("a role's name is a name, whatever it spells", () => {
	const lines = pgHba({ replicationUser: "all", rewindUser: 'x" all', tls: false });
	expect(lines).toContain('host replication "all" all scram-sha-256');
	expect(lines).toContain('host postgres "x"" all" all scram-sha-256');
	expect(verdict(lines, "host", "replication", "postgres")).toBe("reject");
	expect(verdict(lines, "host", "app", "postgres")).toBe("scram-sha-256");
});
