import fc from "fast-check";
import { batches } from "../../../runtime/migrate/writer.ts";

test("batches keep all in order, hold no more than they may, and are as few as that allows", () => {
	const sizes = fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 30 }) }), { maxLength: 60 });
	fc.assert(
		fc.property(sizes, (all) => {
			const found = batches(all, 40);
			expect(found.flat()).toEqual(all);
			const size = (batch: { bytes: number }[]) => batch.reduce((sum, { bytes }) => sum + bytes, 0);
			for (const [at, batch] of found.entries()) {
				expect(size(batch)).toBeLessThanOrEqual(40);
				const next = found[at + 1];
				if (next) expect(size(batch) + next[0]!.bytes).toBeGreaterThan(40);
			}
		}),
	);
});

test("what is bigger than a batch goes alone", () => {
	expect(batches([{ bytes: 5 }, { bytes: 90 }, { bytes: 5 }], 40)).toEqual([
		[{ bytes: 5 }],
		[{ bytes: 90 }],
		[{ bytes: 5 }],
	]);
	expect(batches([])).toEqual([]);
});
