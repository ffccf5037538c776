import { type Access, readRecord } from "../access.ts";
import { joinChanges, retireChanges } from "./changes.ts";
import { adminCredential } from "./connect.ts";
import { desiredSet } from "./desired.ts";
import type { ReplicaSetInputs } from "./model.ts";
import { lookAtSet } from "./observe.ts";
import { Reach } from "./reach.ts";
import type { MongoRecord } from "./record.ts";

type Inputs = Pick<ReplicaSetInputs, "members" | "settings">;

/**
 * What the planner would do to the membership of a running set for these inputs, in its own words and order. Only
 * looks. Empty for a set that does not exist yet.
 */
export async function membershipHints(access: Access, inputs: Inputs): Promise<string[]> {
	const record = await readRecord<MongoRecord>(access);
	if (!record?.replicaSetId) return [];
	const reach = new Reach(record.tls);
	try {
		const look = await lookAtSet(reach, record.hosts, adminCredential(record.admin), record.keys);
		if (!look) return ["the set has no primary now: up waits until it has one"];
		const leaving = retireChanges(
			look.set,
			inputs.members.map(({ host }) => host),
		);
		const joining = joinChanges(look.set, desiredSet(inputs, look.set), record.ids ?? {});
		return [...leaving, ...joining].map(({ why }) => why);
	} finally {
		await reach.close();
	}
}
