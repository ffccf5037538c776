import type * as pulumi from "@pulumi/pulumi";
import { CONFIG_FILE, KEY_FILE, keyfileText, mongodConf, type ReplicaSetSettings } from "../../runtime/mongo/model.ts";
import type { DesiredMember } from "../../runtime/mongo/state.ts";
import { type Address, FOLDER } from "../../runtime/platform/model.ts";
import type { MemberSpec } from "../platform/platform.ts";
import type { MongoTls } from "./tls.ts";

export const buildOf = ({ build }: ReplicaSetSettings) => (build === undefined ? {} : { build });

export interface MemberParts {
	settings: ReplicaSetSettings;
	/** By slot, like the addresses. */
	members: readonly DesiredMember[];
	addresses: readonly Address[];
	keyfile: pulumi.Output<string>;
	/** Absent where the set speaks no TLS. */
	tls: MongoTls | undefined;
	adopt: boolean;
}

/** What the platform runs: one mongod a slot, with its configuration, its certificate and the key it is born with. */
export function memberSpecs(cluster: string, parts: MemberParts): MemberSpec[] {
	const { settings, members, addresses, keyfile, tls, adopt } = parts;
	return addresses.map((address, slot) => {
		const arbiter = members[slot]!.arbiterOnly;
		const conf = { ...settings, replicaSet: settings.name, address, arbiter, tls: settings.tls?.mode };
		const args = ["--config", `${FOLDER}/${CONFIG_FILE}`];
		const name = `${cluster}-${slot}`;
		return {
			slot,
			name,
			address,
			processes: [{ name: "mongod", program: "mongod" as const, args, port: address.port, ...buildOf(settings) }],
			files: { [CONFIG_FILE]: mongodConf(conf), ...tls?.files(name) },
			birthFiles: { [KEY_FILE]: keyfile.apply((key) => keyfileText([key])) },
			adopt,
		};
	});
}
