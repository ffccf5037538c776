export interface HbaRoles {
	replicationUser: string;
	rewindUser: string;
	/** Whether connections are encrypted: then none may be plain, and standbys show a certificate. */
	tls: boolean;
}

/** A role in pg_hba.conf: in quotes it is a name whatever it spells (`all`, `+x`), and a quote is doubled. */
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/**
 * pg_hba.conf of every member; the first line that matches decides. Only SCRAM, over sockets too. The replication role
 * may replicate and nothing else, the rewind role may open `postgres` and nothing else.
 */
export function pgHba({ replicationUser, rewindUser, tls }: HbaRoles): string[] {
	const host = tls ? "hostssl" : "host";
	const certified = tls ? "scram-sha-256 clientcert=verify-ca" : "scram-sha-256";
	return [
		...(tls ? ["hostnossl all all all reject"] : []),
		`${host} replication ${quoted(replicationUser)} all ${certified}`,
		`${host} replication all all reject`,
		`${host} all ${quoted(replicationUser)} all reject`,
		`${host} postgres ${quoted(rewindUser)} all ${certified}`,
		`${host} all ${quoted(rewindUser)} all reject`,
		`${host} all all all scram-sha-256`,
		"local all all scram-sha-256",
	];
}
