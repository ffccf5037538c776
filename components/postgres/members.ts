import * as pulumi from "@pulumi/pulumi";
import {
	ETCD_CA_FILE,
	ETCD_FILE,
	ETCD_SLOTS,
	etcdTimings,
	etcdYml,
	GUARD_FILE,
	guardScript,
	PATRONI_FILE,
	type PatroniSettings,
	type PatroniTopology,
	patroniYml,
	SECRETS_FILE,
	secretsYml,
} from "../../runtime/postgres/model.ts";
import type { MemberSpec } from "../platform/platform.ts";
import type { TlsIdentities } from "../tls/identities.ts";

/** Passwords that every Patroni of the cluster knows. */
export interface PatroniPasswords {
	superuser: pulumi.Output<string>;
	replication: pulumi.Output<string>;
	rewind: pulumi.Output<string>;
	/** Of the REST API. */
	rest: pulumi.Output<string>;
	/** Of Patroni's user in etcd. */
	etcd: pulumi.Output<string>;
}

interface Shape extends Pick<PatroniTopology, "members" | "etcdFor"> {
	settings: PatroniSettings;
	passwords: PatroniPasswords;
	identities: TlsIdentities | undefined;
	adopt: boolean;
}

/** What the platform is told of every member: processes, configuration, certificates and first passwords. */
export function memberSpecs({ settings, members, etcdFor, passwords, identities, adopt }: Shape): MemberSpec[] {
	return members.map(({ slot, name, addresses, processes }) => ({
		...{ slot, name, address: addresses.postgres, processes, adopt },
		files: {
			[GUARD_FILE]: guardScript,
			[PATRONI_FILE]: patroniYml({ settings, name, addresses, etcd: etcdFor(slot) }),
			...(slot < ETCD_SLOTS ? { [ETCD_FILE]: etcdText(name, addresses, settings) } : {}),
			...(identities ? certificates(slot, name, identities) : {}),
		},
		birthFiles: { [SECRETS_FILE]: pulumi.output({ ...passwords }).apply(secretsYml) },
	}));
}

type Addresses = PatroniTopology["members"][number]["addresses"];

function etcdText(name: string, { etcdClient, etcdPeer }: Addresses, { profile, tls }: PatroniSettings): string {
	const timing = profile === "wan" ? etcdTimings.wan : etcdTimings.lan;
	return etcdYml({ name, client: etcdClient, peer: etcdPeer, timing, tls: tls !== undefined });
}

/**
 * A file each, by names that are known before the texts are. etcd reads new certificates by itself, but the CAs that it
 * trusts only when it starts.
 */
function certificates(slot: number, name: string, identities: TlsIdentities): MemberSpec["files"] {
	const texts = identities.files(name);
	const services = ["postgres", "patroni", "etcd", "etcd-client", "peer", "client"];
	const names = ["ca.pem", ...services.flatMap((service) => [`${service}.crt`, `${service}.key`])];
	return {
		...Object.fromEntries(names.map((file) => [`live/tls/${file}`, texts.apply((all) => all[file]!)])),
		...(slot < ETCD_SLOTS ? { [ETCD_CA_FILE]: identities.ca } : {}),
	};
}
