import fc from "fast-check";
import { differing, differsIn } from "../../../runtime/redis/compare.ts";
import { addTo, bucketOf, emptyDigest, summary } from "../../../runtime/redis/digest.ts";
import { headerRange, isCarried, isOutside, isRecent } from "../../../runtime/redis/headerRange.ts";
import type { HeaderPage } from "../../../runtime/redis/port.ts";
import { encodeRecord, headerOf } from "../../../runtime/redis/record.ts";
import { formatStamp } from "../../../runtime/redis/stamp.ts";

const seed = Number(process.env.HOLDFAST_SEED) || Date.now() % 2 ** 31;
const AT = 1_800_000_000_000;
const DAY = 86_400_000;
const range = headerRange({ at: AT, graceMs: 10 * DAY, maxSkewMs: 60_000, writeMs: 2000, roundMs: DAY });
const BUCKETS = 64;

function header(ms: number, { deleted = false, expiresAt }: { deleted?: boolean; expiresAt?: number } = {}): string {
	const stamp = formatStamp({ ms, counter: 0, nodeId: "00000000000000aa" });
	const value = { kind: "text" as const, payload: Buffer.from("x"), ...(expiresAt === undefined ? {} : { expiresAt }) };
	return headerOf(encodeRecord(stamp, deleted ? undefined : value))!;
}

const entry = fc.record({
	key: fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
	header: fc.integer({ min: AT - DAY, max: AT - 3000 }).map((ms) => header(ms)),
});
const entries = fc.uniqueArray(entry, { selector: ({ key }) => key.toString("hex"), maxLength: 40 });
const digestOf = (...pages: HeaderPage["entries"][]) => {
	const digest = emptyDigest(BUCKETS);
	for (const page of pages) addTo(digest, page, range);
	return digest;
};

test(`digests are equal exactly when the contents are, whatever the order and the pages (seed ${seed})`, () => {
	fc.assert(
		fc.property(entries, entry, fc.nat(), (all, other, at) => {
			const cut = at % (all.length + 1);
			const digest = digestOf(all);
			const shuffled = digestOf(all.slice(cut), all.slice(0, cut).reverse());
			expect(differing(digest, shuffled)).toBe(0);
			expect(summary(shuffled)).toBe(summary(digest));
			const without = all.filter((_, i) => i !== cut);
			if (without.length < all.length) {
				const less = digestOf(without);
				expect(differsIn(digest, less, bucketOf(all[cut]!.key, BUCKETS))).toBe(true);
				expect(differing(digest, less)).toBe(1);
				expect(summary(less)).not.toBe(summary(digest));
				const changed = all.map((known, i) => (i === cut ? { ...known, header: other.header } : known));
				expect(differing(digestOf(changed), digest)).toBe(other.header === all[cut]!.header ? 0 : 1);
			}
		}),
		{ seed },
	);
});

test("a key that SCAN returns twice does not hide that another node lacks it", () => {
	const twice = { key: Buffer.from("k"), header: header(AT - DAY) };
	expect(differing(digestOf([twice, twice]), digestOf([]))).toBe(1);
});

test("keys spread over the buckets", () => {
	const counts = new Map<number, number>();
	for (let i = 0; i < 6400; i++) {
		const bucket = bucketOf(Buffer.from(`key-${i}`), BUCKETS);
		counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
	}
	expect(counts.size).toBe(BUCKETS);
	expect(Math.max(...counts.values())).toBeLessThan(160);
});

test("what is too new is compared by itself, what is impossible or about to vanish not at all", () => {
	const kinds = (text: string) => [isOutside(range, text), isRecent(range, text), isCarried(range, text)];
	expect(kinds(header(AT - DAY))).toEqual([false, false, true]);
	expect(kinds(header(AT - 100 * DAY))).toEqual([false, false, true]);
	expect(kinds(header(AT - 1000))).toEqual([true, true, true]);
	expect(kinds(header(AT + 60_000))).toEqual([true, true, true]);
	expect(kinds(header(AT + 3 * DAY))).toEqual([true, false, false]);
	expect(kinds(header(AT - 8 * DAY, { deleted: true }))).toEqual([false, false, true]);
	expect(kinds(header(AT - 9.5 * DAY, { deleted: true }))).toEqual([true, false, false]);
	expect(kinds(header(AT - 50 * DAY, { expiresAt: AT - 8 * DAY }))).toEqual([false, false, true]);
	expect(kinds(header(AT - 50 * DAY, { expiresAt: AT - 9.5 * DAY }))).toEqual([true, false, false]);
});
