import { differsIn } from "./compare.ts";
import { addTo, bucketOf, type Digest, emptyDigest } from "./digest.ts";
import { type HeaderRange, isCarried, isRecent } from "./headerRange.ts";
import type { Party } from "./party.ts";
import type { HeaderPage, RecordPage } from "./port.ts";

type Entries = HeaderPage["entries"];

/** Pages on their way to an empty node at a time: bounds the memory of a fill. */
const PAGES_UNDER_WAY = 4;
/** Pages of headers after which a node is no longer nearly empty. */
const FEW_PAGES = 20;

export interface HealOptions {
	range: HeaderRange;
	buckets: number;
	/** Records that travel together. */
	pageSize: number;
}

/**
 * Carries from a source those of its records that a target lacks. When it returns, every target that is not out has each
 * record, or a newer one. How many were carried.
 */
export async function offer(source: Party, offers: readonly { to: Party; entries: Entries }[]): Promise<number> {
	const wanted = await Promise.all(
		offers.map(async ({ to, entries }) => {
			const keys = entries.length === 0 ? [] : ((await to.ask((node) => node.lacking(entries))) ?? []);
			return { to, keys };
		}),
	);
	const wanting = wanted.filter(({ keys }) => keys.length > 0).map(({ to }) => to);
	const keys = new Map(wanted.flatMap((want) => want.keys.map((key) => [key.toString("latin1"), key])));
	return pickFor(source, wanting, [...keys.values()]);
}

/** What is too large for a page comes back by name, and is asked for again: the first of them always travels. */
async function pickFor(
	source: Party,
	targets: readonly Party[],
	keys: readonly Buffer[],
	mode: "fill" | "merge" = "merge",
) {
	let carried = 0;
	for (let open = keys; open.length > 0; ) {
		const page = await source.ask((node) => node.pick(open));
		if (!page) return carried;
		carried += await takeAll(targets, page, mode);
		open = page.large;
	}
	return carried;
}

async function takeAll(targets: readonly Party[], page: RecordPage, mode: "fill" | "merge"): Promise<number> {
	const taken = await Promise.all(targets.map((target) => target.ask((node) => node.take(page, mode))));
	return taken.reduce<number>((sum, count) => sum + (count ?? 0), 0);
}

/** Whether a node holds so little that it is filled rather than compared. */
export async function isNearlyEmpty(party: Party, pageSize: number): Promise<boolean> {
	let pages = 0;
	for await (const _ of party.pages(pageSize)) if (++pages >= FEW_PAGES) return false;
	return party.failure === undefined;
}

/** Copies all of a source to empty targets, pages as they are. */
export async function fill(source: Party, targets: readonly Party[], pageSize: number): Promise<number> {
	let carried = 0;
	let underWay: Promise<void>[] = [];
	for (let cursor: string | undefined; cursor !== "0"; ) {
		const from = cursor ?? "0";
		const page = await source.ask((node) => node.records(from, pageSize));
		if (!page) break;
		const work = takeAll(targets, page, "fill")
			.then(async (count) => count + (await pickFor(source, targets, page.large, "fill")))
			.then((count) => {
				carried += count;
			});
		work.catch(() => undefined);
		underWay.push(work);
		if (underWay.length >= PAGES_UNDER_WAY) {
			await underWay[0];
			underWay = underWay.slice(1);
		}
		cursor = page.cursor;
	}
	await Promise.all(underWay);
	return carried;
}

/** Digests of all parties. What is too new for a digest is carried at once. */
export async function digestAll(parties: readonly Party[], options: HealOptions) {
	const { range, buckets, pageSize } = options;
	let carried = 0;
	const digests = await Promise.all(
		parties.map(async (party) => {
			const digest = emptyDigest(buckets);
			for await (const entries of party.pages(pageSize)) {
				addTo(digest, entries, range);
				const recent = entries.filter(({ header }) => isRecent(range, header));
				const others = parties.filter((other) => other !== party);
				const offers = others.map((to) => ({ to, entries: recent }));
				const count = recent.length === 0 ? 0 : await offer(party, offers);
				carried += count;
			}
			return digest;
		}),
	);
	return { digests: new Map(parties.map((party, i) => [party, digests[i]!])), carried };
}

/** Carries, from every party to every other, what lies in buckets in which the two differ. */
export async function carryDiffering(digests: ReadonlyMap<Party, Digest>, options: HealOptions): Promise<number> {
	const { range, buckets, pageSize } = options;
	const carried = await Promise.all(
		[...digests].map(async ([source, own]) => {
			const targets = [...digests].flatMap(([to, theirs]) => {
				const differs = Array.from({ length: buckets }, (_, bucket) => to !== source && differsIn(own, theirs, bucket));
				return differs.includes(true) ? [{ to, differs }] : [];
			});
			let count = 0;
			if (targets.length === 0) return count;
			for await (const page of source.pages(pageSize)) {
				const entries = page.filter(({ header }) => isCarried(range, header));
				const numbers = entries.map(({ key }) => bucketOf(key, buckets));
				const offers = targets.map(({ to, differs }) => ({
					to,
					entries: entries.filter((_, i) => differs[numbers[i]!]),
				}));
				count += await offer(source, offers);
			}
			return count;
		}),
	);
	return carried.reduce((sum, count) => sum + count, 0);
}
