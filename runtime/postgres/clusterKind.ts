import { readRecord, removeRecord, withCluster } from "../access.ts";
import { Deadline } from "../deadline.ts";
import { HoldfastError, NotReady } from "../errors.ts";
import type { Kind } from "../kind.ts";
import { openHost } from "../platform/open.ts";
import type { PostgresClusterInputs, PostgresClusterOutputs } from "./clusterArguments.ts";
import { configure } from "./configure.ts";
import type { Login } from "./connect.ts";
import { establish } from "./establish.ts";
import { forgetEtcd } from "./etcd.ts";
import { versionText } from "./look.ts";
import { observeCluster } from "./observeCluster.ts";
import { rotatePasswords } from "./passwords.ts";
import type { PostgresRecord } from "./record.ts";
import { reloadAnswering } from "./reload.ts";
import { roll, whole } from "./settle.ts";
import { save, type Work } from "./work.ts";

/** A first build takes seconds; cloning a large database to a new member takes as long as it takes. */
const DEADLINE_MS = 60 * 60_000;

/** The Patroni cluster itself: etcd, identity, passwords, configuration, rolling restarts. */
export const clusterKind: Kind<PostgresClusterInputs, PostgresClusterOutputs> = {
	id: ({ access }) => `${access.stack}/${access.cluster}`,
	ensure: (inputs, previous) =>
		withCluster(inputs.access, "update", async () => {
			const work = await openWork(inputs);
			const isNew = await establish(work, inputs, previous?.systemIdentifier);
			return finish(work, inputs, isNew || previous?.configuration === inputs.configuration);
		}),
	observe: (_id, state) => observeCluster(state),
	remove: (_id, { access, host, members }) =>
		withCluster(access, "removal", async () => {
			if (host.kind !== "existing") await stopPatronis(openHost(host), members);
			await forgetEtcd(access);
			await removeRecord(access);
		}),
};

/** Patronis end while etcd still runs: their keys go at once, and nobody waits for anybody. */
async function stopPatronis(host: Work["host"], members: PostgresClusterInputs["members"]): Promise<void> {
	await Promise.all(
		members.map(async ({ name }) => {
			const { state } = await host.status(name);
			if (state !== "missing") await host.stop(name, "patroni");
		}),
	);
}

/** The record as it should be from now on; what is in force until then is kept beside it. */
async function openWork(inputs: PostgresClusterInputs): Promise<Work> {
	const known = await readRecord<PostgresRecord>(inputs.access);
	const { superuser, restapi, ca, etcd } = inputs;
	const declared = inputs.members.map(({ name, postgres, patroni }) => ({ name, ...postgres, patroni }));
	const others = (known?.hosts ?? []).filter(({ name }) => !declared.some((one) => one.name === name));
	const record: PostgresRecord = {
		...known,
		system: "postgres",
		scope: inputs.scope,
		version: inputs.version,
		users: { superuser: superuser.user, replication: inputs.replication.user, rewind: inputs.rewind.user },
		hosts: [...declared, ...others],
		superuser,
		previousSuperuser: formerOf(superuser, known?.superuser, known?.previousSuperuser),
		restapi,
		previousRestapi: formerOf(restapi, known?.restapi, known?.previousRestapi),
		etcdRoot: known?.etcdRoot ?? etcd.root,
		...(ca === undefined ? { tls: undefined } : { tls: { ca } }),
	};
	const deadline = new Deadline(`the update of PostgreSQL cluster ${inputs.scope}`, DEADLINE_MS);
	return { access: inputs.access, record, host: openHost(inputs.host), deadline };
}

const formerOf = (now: Login, known: Login | undefined, former: Login | undefined): Login | undefined =>
	known && (known.user !== now.user || known.password !== now.password) ? known : former;

async function finish(work: Work, inputs: PostgresClusterInputs, isRead: boolean): Promise<PostgresClusterOutputs> {
	const { record } = work;
	const outputs = { systemIdentifier: record.systemIdentifier!, serverVersion: "" };
	try {
		await rotatePasswords(work, inputs);
		const changed = await configure(work, inputs.dynamic);
		const names = inputs.members.map(({ name }) => name);
		// Also after an interrupted run: what was written then may not have been read.
		if (changed || !isRead) await reloadAnswering(work, names);
		await roll(work, inputs);
		const { statuses } = await whole(work, inputs);
		record.hosts = record.hosts.filter(({ name }) => names.includes(name));
		await save(work);
		return { ...outputs, serverVersion: versionText(Math.max(...[...statuses.values()].map(versionOf))) };
	} catch (error) {
		if (!(error instanceof HoldfastError) || error.code !== "HF_DEADLINE") throw error;
		throw new NotReady(clusterKind.id(inputs), outputs, error.message, { cause: error });
	}
}

const versionOf = ({ server_version = 0 }: { server_version?: number | undefined }): number => server_version;
