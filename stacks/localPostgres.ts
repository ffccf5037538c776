import { LocalPlatform } from "../components/platform/local.ts";
import type { PostgresConnection } from "../components/postgres/connection.ts";
import { PostgresDatabase } from "../components/postgres/database.ts";
import { PatroniCluster } from "../components/postgres/patroniCluster.ts";
import { PostgresRole } from "../components/postgres/role.ts";
import { givenOr, type LocalContext } from "./localMongo.ts";
import type { PostgresSettings } from "./postgresSettings.ts";

/** The PostgreSQL cluster of a local stack with its roles and databases, and what the stack says of them. */
export function localPostgres(postgres: PostgresSettings, { stack, protect, supervisor, secrets }: LocalContext) {
	const { roles, databases, adopt, address, dataRoot, superuserGeneration, ...rest } = postgres;
	const { replicationGeneration, rewindGeneration, ...args } = rest;
	const place = { stack, address, aliases: true, basePort: args.ports.postgres };
	const folder = dataRoot === undefined ? {} : { dataRoot };
	const platform = new LocalPlatform({ ...place, ...folder, supervisor: supervisor! });
	const cluster = new PatroniCluster(args.name, {
		...args,
		...{ stack, platform, protect },
		superuserPassword: givenOr(secrets, "superuser", superuserGeneration),
		replicationPassword: givenOr(secrets, "replication", replicationGeneration),
		rewindPassword: givenOr(secrets, "rewind", rewindGeneration),
		...(args.tls ? { tlsPassphrase: givenOr(secrets, "tls", 1) } : {}),
		...(adopt ? { adopt } : {}),
	});
	const declared = declareRoles(cluster, roles, secrets);
	for (const [name, settings] of Object.entries(databases))
		new PostgresDatabase(name, { cluster, ...settings }, { parent: cluster, dependsOn: Object.values(declared) });
	return {
		cluster: args.name,
		hosts: cluster.hosts.map(({ host, port }) => `${host}:${port}`),
		rest: cluster.rest,
		systemIdentifier: cluster.systemIdentifier,
		...(cluster.ca ? { ca: cluster.ca } : {}),
		roles: { [cluster.superuser]: cluster.connection, ...connectionsOf(declared) },
	};
}

type Roles = Record<string, PostgresRole>;

/** Each role after those that it is a member of. */
function declareRoles(
	cluster: PatroniCluster,
	roles: PostgresSettings["roles"],
	secrets: LocalContext["secrets"],
): Roles {
	const made: Roles = {};
	const make = (name: string, below: readonly string[]): PostgresRole[] => {
		const settings = roles[name];
		// A ring of memberships is refused by the server, in its own words.
		if (!settings || below.includes(name)) return [];
		const { generation, database: defaultDatabase = cluster.database, ...args } = settings;
		const dependsOn = args.memberOf.flatMap(({ role }) => make(role, [...below, name]));
		const own = { cluster, ...args, defaultDatabase, password: givenOr(secrets, name, generation) };
		made[name] ??= new PostgresRole(name, own, { parent: cluster, dependsOn });
		return [made[name]];
	};
	for (const name of Object.keys(roles)) make(name, []);
	return made;
}

/** Of the roles that log in. */
function connectionsOf(roles: Roles): Record<string, PostgresConnection> {
	const found = Object.entries(roles).flatMap(([name, { uri, readOnlyUri, jdbcUrl, pgpass }]) =>
		uri && readOnlyUri && jdbcUrl && pgpass ? [[name, { uri, readOnlyUri, jdbcUrl, pgpass }] as const] : [],
	);
	return Object.fromEntries(found);
}
