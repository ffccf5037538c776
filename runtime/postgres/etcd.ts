import { rm } from "node:fs/promises";
import type { Access } from "../access.ts";
import { ensureAuth } from "../etcd/auth.ts";
import { etcdURL } from "../etcd/config.ts";
import { convergeEtcd, snapshotPath } from "../etcd/execute.ts";
import type { EtcdRecord } from "../etcd/record.ts";
import { type EtcdClusterStatus, etcdStatus } from "../etcd/status.ts";
import type { EtcdTls } from "../etcd/transport.ts";
import type { EtcdWork } from "../etcd/work.ts";
import type { DeclaredMember, PostgresClusterInputs } from "./clusterArguments.ts";
import { PATRONI_USER } from "./patroniYml.ts";
import type { PostgresRecord } from "./record.ts";
import { save, type Work } from "./work.ts";

/** etcd's own name for its administrator. */
const ROOT = "root";

/**
 * An etcd that takes Patroni in: of a cluster that is new only the first voter, so that the database can be made while
 * the others join.
 */
export async function openEtcd(work: Work, inputs: PostgresClusterInputs): Promise<void> {
	const whole = await etcdWork(work, inputs.members, inputs.etcd.root);
	const isNew = work.record.etcd?.formed !== true;
	const seed = work.record.etcd?.seed ?? whole.desired[0]?.name;
	const first = whole.desired.filter(({ name }) => name === seed);
	// The machines of all others are looked at, too: data of an etcd there means that there was a cluster.
	const others = inputs.members.filter(({ name, etcd }) => etcd && name !== seed).map(({ name }) => name);
	const { seen } = await convergeEtcd(isNew ? { ...whole, desired: first, others } : whole, "join");
	await admit(
		work,
		inputs,
		seen.cluster!.members.flatMap(({ clientURLs }) => clientURLs),
	);
}

/** All declared voters, and no others. */
export async function joinEtcd(work: Work, inputs: PostgresClusterInputs): Promise<void> {
	await convergeEtcd(await etcdWork(work, inputs.members, inputs.etcd.root), "join");
}

/** Users and rights; from then on etcd asks everybody for a password. */
async function admit(work: Work, inputs: PostgresClusterInputs, endpoints: readonly string[]): Promise<void> {
	const { record, deadline } = work;
	const former = record.etcdRoot;
	await ensureAuth({
		endpoints,
		tls: await clientTls(work, inputs.members),
		rootPasswords: [inputs.etcd.root, ...(former === undefined ? [] : [former])],
		patroni: { user: PATRONI_USER, password: inputs.etcd.patroni },
		scope: inputs.scope,
		deadline,
	});
	record.etcdRoot = inputs.etcd.root;
	await save(work);
}

/** Takes voters that are not declared out of etcd; their processes still run, those of new members not yet. */
export async function retireVoters(work: Work, members: readonly DeclaredMember[]): Promise<void> {
	if (!work.record.etcd) return;
	const states = await Promise.all(members.map(({ name }) => work.host.status(name)));
	const there = members.filter((_, i) => states[i]!.state !== "missing");
	await convergeEtcd(await etcdWork(work, there), "retire");
}

/** What was kept of a cluster's etcd on this host. */
export async function forgetEtcd(access: Access): Promise<void> {
	await rm(snapshotPath(access), { force: true });
}

/** `root` is the password that root shall have; the one of before may still be in force. */
async function etcdWork(work: Work, members: readonly DeclaredMember[], root?: string): Promise<EtcdWork> {
	const { access, host, deadline, record } = work;
	const tls = await clientTls(work, members);
	const capable = members.filter((member) => member.etcd !== undefined);
	return {
		...{ access, host, deadline },
		desired: capable.filter(({ votes }) => votes).map((member) => voter(member, record.tls !== undefined)),
		others: capable.filter(({ votes }) => !votes).map(({ name }) => name),
		...(record.etcd ? { record: record.etcd } : {}),
		async save(etcd: EtcdRecord) {
			record.etcd = etcd;
			await save(work);
		},
		credentials: [...new Set([root, record.etcdRoot])].flatMap((password) =>
			password === undefined ? [] : [{ user: ROOT, password }],
		),
		...(tls ? { tls } : {}),
	};
}

function voter({ name, etcd }: DeclaredMember, tls: boolean) {
	return { name, peerURL: etcdURL(etcd!.peer, tls), clientURL: etcdURL(etcd!.client, tls) };
}

/** The certificate of one of the members: etcd asks its clients for one. */
async function clientTls(
	{ host, record }: Pick<Work, "host" | "record">,
	members: readonly Pick<DeclaredMember, "name">[],
): Promise<EtcdTls | undefined> {
	if (!record.tls) return undefined;
	for (const { name } of members) {
		const [cert, key] = await Promise.all(
			["crt", "key"].map((ending) => host.read(name, `live/tls/etcd-client.${ending}`)),
		);
		if (cert !== undefined && key !== undefined) return { ca: record.tls.ca, cert, key };
	}
	return undefined;
}

/** How etcd is; `undefined` where somebody else runs it. */
export async function statusOfEtcd(
	work: Pick<Work, "host"> & { record: PostgresRecord },
): Promise<EtcdClusterStatus | undefined> {
	const { etcd, etcdRoot, hosts } = work.record;
	if (!etcd) return undefined;
	return etcdStatus({
		endpoints: etcd.endpoints,
		credentials: etcdRoot === undefined ? [] : [{ user: ROOT, password: etcdRoot }],
		tls: await clientTls(work, hosts),
	});
}
