import { setTimeout as sleep } from "node:timers/promises";
import { expiryOf } from "../datastore/readTime.ts";
import { addCounts, type Checkpoint, reachedBy } from "./checkpoint.ts";
import { type Ledger, type MigrationRecord, openLedger, readMigration } from "./ledger.ts";
import type { Migration } from "./model.ts";
import { openTarget } from "./target.ts";
import type { VerifyRun } from "./verifyRuns.ts";
import type { Counts, LoadCount } from "./work.ts";

export interface PartitionStatus {
	partition: number;
	label: string;
	state: "waiting" | "working" | "stopped" | "done";
	done: number;
	total?: number;
	/** Items a second, between the two looks. */
	rate: number;
	/** Seconds. */
	eta?: number;
	/** Who works on it, or did last. */
	owner?: { host: string; pid: number };
	/** ISO 8601: last sign of its owner, by the server's clock. */
	heartbeat?: string;
	counts: Counts<LoadCount>;
}

export interface MigrationStatus {
	migration: string;
	state: "absent" | "loading" | "complete";
	ends?: { source: string; target: string };
	mapHash?: string;
	readTime?: string;
	/** When the source ends to serve the read time: by then a load and its verification have to be through. */
	expiresAt?: string;
	completedAt?: string;
	done: number;
	total?: number;
	rate: number;
	eta?: number;
	/** Of partitions at work: the one that was longest silent. */
	oldestHeartbeat?: string;
	counts: Counts<LoadCount>;
	/** By code. */
	deadLetters: Record<string, number>;
	conflicts: number;
	partitions: PartitionStatus[];
	verifications: { run: number; state: string; readTime?: string; verdict?: string; sha256?: string; at: string }[];
}

/** Milliseconds between the two looks of a migration at work: its runners write checkpoints twice a second. */
const BETWEEN_MS = 2000;

/** How a migration is, by its ledger alone: no source, no map. Looks twice at one that is at work, for its rate. */
export async function statusOf(
	declaration: Migration,
	{ betweenMs = BETWEEN_MS }: { betweenMs?: number } = {},
): Promise<MigrationStatus> {
	const client = await openTarget(declaration.mongo);
	try {
		return await statusIn(openLedger(client, declaration.ledger), declaration, betweenMs);
	} finally {
		await client.close();
	}
}

/** As `statusOf`, with the ledger at hand. */
export async function statusIn(
	ledger: Ledger,
	declaration: Migration,
	betweenMs = BETWEEN_MS,
): Promise<MigrationStatus> {
	const { name } = declaration;
	const nothing = { done: 0, rate: 0, counts: {}, deadLetters: {}, conflicts: 0, partitions: [], verifications: [] };
	const record = await readMigration(ledger, name);
	if (!record) return { migration: name, state: "absent", ...nothing };
	const before = await look(ledger, name);
	const working = [...before.checkpoints.values()].some((one) => isLive(one, before.now));
	if (working) await sleep(betweenMs);
	const now = working ? await look(ledger, name) : before;
	const seconds = (now.now.getTime() - before.now.getTime()) / 1000;
	const partitions = record.partitions.map((partition) =>
		statusOfPartition(partition, before.checkpoints.get(partition.index), now, seconds),
	);
	const [deadLetters, conflicts, verifications] = await Promise.all([
		lettersByCode(ledger, name),
		ledger.conflicts.countDocuments({ "_id.migration": name }),
		verificationsOf(ledger, name),
	]);
	return { ...ofRecord(record, declaration), ...sums(partitions), deadLetters, conflicts, partitions, verifications };
}

function ofRecord(record: MigrationRecord, declaration: Migration) {
	const { _id: migration, state, ends, mapHash, readTime, completedAt } = record;
	const hours = declaration.kind === "datastore" ? declaration.source.retentionHours : 1;
	return {
		...{ migration, state, ends, mapHash },
		...(readTime !== undefined && { readTime, expiresAt: expiryOf(readTime, hours) }),
		...(completedAt && { completedAt: completedAt.toISOString() }),
	};
}

interface Look {
	/** Of the server. */
	now: Date;
	checkpoints: Map<number, Checkpoint>;
}

async function look(ledger: Ledger, migration: string): Promise<Look> {
	const checkpoints = await ledger.checkpoints.find({ "_id.migration": migration, "_id.job": "load" }).toArray();
	const { localTime } = await ledger.db.admin().command({ hello: 1 });
	return { now: localTime as Date, checkpoints: new Map(checkpoints.map((one) => [one._id.partition, one])) };
}

const isLive = ({ done, leaseUntil }: Checkpoint, now: Date): boolean => !done && leaseUntil > now;

function statusOfPartition(
	{ index, label, total }: MigrationRecord["partitions"][number],
	earlier: Checkpoint | undefined,
	{ now, checkpoints }: Look,
	seconds: number,
): PartitionStatus {
	const checkpoint = checkpoints.get(index);
	const known = { partition: index, label, ...(total !== undefined && { total }) };
	if (!checkpoint) return { ...known, state: "waiting", done: 0, rate: 0, counts: {} };
	const { counts, done } = reachedBy(checkpoint);
	const read = counts.read ?? 0;
	const rate = seconds > 0 ? Math.max(0, read - (earlier?.counts.read ?? 0)) / seconds : 0;
	const { host, pid } = checkpoint.owner;
	return {
		...known,
		state: done ? "done" : isLive(checkpoint, now) ? "working" : "stopped",
		done: read,
		...{ rate, ...etaOf(read, total, rate, done) },
		...{ owner: { host, pid }, heartbeat: checkpoint.at.toISOString(), counts },
	};
}

const etaOf = (done: number, total: number | undefined, rate: number, through: boolean): { eta?: number } =>
	total === undefined || rate === 0 || through ? {} : { eta: Math.max(0, total - done) / rate };

function sums(partitions: readonly PartitionStatus[]) {
	const counts = partitions.reduce<Counts<LoadCount>>((sum, one) => addCounts(sum, one.counts), {});
	const done = counts.read ?? 0;
	const known = partitions.every(({ state, total }) => state === "done" || total !== undefined);
	const total = partitions.reduce((sum, one) => sum + (one.state === "done" ? one.done : (one.total ?? 0)), 0);
	const rate = partitions.reduce((sum, one) => sum + one.rate, 0);
	const beats = partitions.filter(({ state }) => state === "working").map(({ heartbeat }) => heartbeat!);
	return {
		...{ done, rate, counts },
		...(known && { total }),
		...etaOf(
			done,
			known ? total : undefined,
			rate,
			partitions.every(({ state }) => state === "done"),
		),
		...(beats.length > 0 && { oldestHeartbeat: beats.sort()[0]! }),
	};
}

async function lettersByCode(ledger: Ledger, name: string): Promise<Record<string, number>> {
	const stages = [
		{ $match: { "_id.migration": name } },
		{ $group: { _id: "$code", count: { $sum: 1 } } },
		{ $sort: { _id: 1 } },
	];
	const found = await ledger.deadLetters.aggregate<{ _id: string; count: number }>(stages).toArray();
	return Object.fromEntries(found.map(({ _id, count }) => [_id, count]));
}

async function verificationsOf(ledger: Ledger, name: string): Promise<MigrationStatus["verifications"]> {
	const runs = ledger.collection<VerifyRun>("reports").find({ "_id.migration": name });
	return (await runs.sort({ "_id.run": 1 }).toArray()).map(({ _id, state, readTime, createdAt, report }) => ({
		...{ run: _id.run, state, at: createdAt.toISOString() },
		...(readTime !== null && { readTime }),
		...(report && { verdict: report.verdict, sha256: report.sha256 }),
	}));
}
