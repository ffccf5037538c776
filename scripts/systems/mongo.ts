import type { MongoStatus } from "../../runtime/mongo/status.ts";
import type { MongoOutputs } from "../outputs.ts";
import { hidePassword } from "../outputs.ts";
import { table } from "../table.ts";

/** A replica set and its members, as lines. */
export function mongoLines(status: MongoStatus): string[] {
	const { name, version, featureCompatibilityVersion, summary, replicaSetId, oplogHours = 0, members } = status;
	const versions = version ? ` (MongoDB ${version}, compatibility ${featureCompatibilityVersion})` : "";
	const rows = members.map(({ host, state, votes, priority, lagSeconds }) => [
		host,
		state,
		String(votes),
		String(priority),
		state === "DOWN" ? "-" : `${lagSeconds.toFixed(0)} s`,
	]);
	return [
		`MongoDB replica set ${name}${versions}: ${summary}`,
		...(replicaSetId ? [`  id ${replicaSetId}, oplog covers ${oplogHours.toFixed(1)} h`] : []),
		table([["MEMBER", "STATE", "VOTES", "PRIORITY", "LAG"], ...rows]),
	];
}

/** Connection strings by user, without their passwords. */
export const mongoConnections = ({ users }: MongoOutputs): string[] =>
	Object.entries(users).map(([user, uri]) => `  ${user}\n    ${hidePassword(uri)}`);
