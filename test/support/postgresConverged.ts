import { existsSync } from "node:fs";
import { etcdStatus } from "../../runtime/etcd/status.ts";
import type { PostgresRecord } from "../../runtime/postgres/record.ts";
import { connectTo } from "./postgresWriters.ts";
import type { TestStack } from "./stack.ts";

export const recordOf = (stack: TestStack) => stack.clusterRecord<PostgresRecord>("pg0");
export const loginOf = (stack: TestStack) => ({ ...recordOf(stack).superuser, database: "postgres" });

/** The database system identifier that a member has, by its own word. */
export async function identifierOf(stack: TestStack, slot: number): Promise<string> {
	const client = await connectTo(recordOf(stack).hosts[slot]!, loginOf(stack));
	const { rows } = await client.query("SELECT system_identifier::text AS id FROM pg_control_system()");
	await client.end();
	return rows[0].id;
}

/** The etcd cluster that a member is of, and its voters there, by its own word. */
async function etcdOf(stack: TestStack, slot: number) {
	const endpoint = `http://127.0.1.${1 + slot}:${stack.basePort + 10 + 2 * slot}`;
	const credentials = [{ user: "root", password: recordOf(stack).etcdRoot! }];
	const { clusterId, members } = await etcdStatus({ endpoints: [endpoint], credentials });
	return { clusterId, voters: members.map(({ name }) => name).sort() };
}

/** The next `up` finishes what was begun; afterwards there is one database, one etcd, and nothing to do. */
export async function converged(stack: TestStack, members: number, voters: number): Promise<string> {
	const { stdout } = await stack.must("up");
	expect(stdout).toContain(`whole: ${members} member(s)`);
	expect(stdout).toContain(`etcd whole: ${voters} voter(s)`);
	expect(await stack.changes()).toEqual({ same: expect.any(Number) });
	const { stdout: state } = await stack.pulumi("stack", "export");
	expect(JSON.parse(state).deployment.pending_operations ?? []).toEqual([]);

	const { systemIdentifier, etcd, hosts } = recordOf(stack);
	const ids = await Promise.all(hosts.map((_, slot) => identifierOf(stack, slot)));
	expect(ids).toEqual(Array(members).fill(systemIdentifier));
	const names = hosts.slice(0, voters).map(({ name }) => name);
	const found = await Promise.all(names.map((_, slot) => etcdOf(stack, slot)));
	expect(found).toEqual(Array(voters).fill({ clusterId: etcd!.clusterId, voters: names }));
	const rest = hosts.filter((_, slot) => slot >= voters).map(({ name }) => name);
	expect(rest.filter((name) => existsSync(`${stack.home}/${stack.name}/members/${name}/data/etcd`))).toEqual([]);
	return systemIdentifier!;
}
