import type { PostgresStatus } from "../../runtime/postgres/status.ts";
import { hidePassword, type PostgresOutputs } from "../outputs.ts";
import { table } from "../table.ts";
import { size } from "./size.ts";

/** A Patroni cluster, its members and its etcd, as lines. */
export function postgresLines(status: PostgresStatus): string[] {
	const { name, version, durability, summary, systemIdentifier, timeline, members, etcd, warnings } = status;
	const versions = version ? ` (PostgreSQL ${version}, durability ${durability})` : "";
	const rows = members.map(({ member, address, role, state, timeline: own, lagBytes, pendingRestart, etcd: voter }) => [
		member,
		address,
		role,
		state,
		own === undefined ? "-" : String(own),
		lagBytes === undefined ? "-" : size(lagBytes),
		pendingRestart ? "restart" : "-",
		voter,
	]);
	return [
		`PostgreSQL cluster ${name}${versions}: ${summary}`,
		...(systemIdentifier ? [`  id ${systemIdentifier}, timeline ${timeline ?? "unknown"}, etcd ${etcd}`] : []),
		table([["MEMBER", "ADDRESS", "ROLE", "STATE", "TIMELINE", "LAG", "PENDING", "ETCD"], ...rows]),
		...warnings.map((warning) => `  ${warning}`),
	];
}

/** Connection strings by role, without their passwords. */
export const postgresConnections = ({ roles }: PostgresOutputs): string[] =>
	Object.entries(roles).map(([role, { uri }]) => `  ${role}\n    ${hidePassword(uri)}`);
