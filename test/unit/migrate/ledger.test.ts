import fc from "fast-check";
import {
	begun,
	type Ledger,
	type MigrationRecord,
	readMigration,
	recordMigration,
} from "../../../runtime/migrate/ledger.ts";

const frozen = {
	kind: "datastore",
	ends: { source: "s", target: "t" },
	mapHash: "a".repeat(64),
	rulesHash: "b".repeat(64),
	readTime: "2026-11-21T10:00:00Z",
} as const;
const partitions = [0, 1, 2].map((index) => ({ index, label: `A ${index}`, range: { from: "AAE=" } }));
const record = begun("m", frozen, partitions, new Date("2026-11-21T10:00:30Z"));

/** A ledger that holds one record. */
const holding = (found: object | null): Ledger =>
	({ db: { databaseName: "ledger" }, migrations: { findOne: async () => found } }) as unknown as Ledger;

test("a record is what was begun, also when it is complete", async () => {
	expect(await readMigration(holding(null), "m")).toBeUndefined();
	expect(await readMigration(holding(record), "m")).toEqual(record);
	const complete: MigrationRecord = { ...record, state: "complete", completedAt: new Date(0) };
	expect(await readMigration(holding(complete), "m")).toEqual(complete);
});

test("a record that was altered or cut off anywhere is refused", async () => {
	const fields = Object.keys(record).filter((field) => field !== "state") as (keyof MigrationRecord)[];
	await fc.assert(
		fc.asyncProperty(fc.constantFrom(...fields), fc.boolean(), async (field, cut) => {
			const altered: Record<string, unknown> = structuredClone(record) as never;
			if (cut) delete altered[field];
			else if (field === "createdAt") altered.createdAt = new Date(1);
			else if (field === "partitions") (altered.partitions as unknown[]).pop();
			else altered[field] = typeof altered[field] === "string" ? `${altered[field]}x` : { source: "s", target: "x" };
			await expect(readMigration(holding(altered), "m")).rejects.toThrow(
				"HF_DAMAGED: the record of migration m in ledger",
			);
		}),
	);
});

test("more partitions than a record holds are refused before anything is written", async () => {
	const many = Array.from({ length: 40 }, (_, index) => ({ index, label: "x".repeat(2 ** 19), range: {} }));
	await expect(recordMigration(holding(null), begun("m", frozen, many, new Date()))).rejects.toThrow(
		"HF_REJECTED: migration m has 40 partitions, more than a record of the ledger holds",
	);
});
