import fc from "fast-check";
import {
	ancestorEnds,
	decodeKey,
	encodeKey,
	keyText,
	kindOf,
	type OldKey,
	type PathElement,
} from "../../../runtime/migrate/oldKey.ts";

const text = fc.oneof(
	fc.string({ unit: "binary", maxLength: 12 }),
	fc.constantFrom("", "a", "a\0", "a\0b", "\0", "\0\0", "\u{10000}", "\uffff", "é", "aé", "a".repeat(700)),
);
const someText = text.filter((one) => one !== "");
const id = fc.oneof(
	fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }),
	fc.bigInt({ min: 1n, max: 300n }),
	fc.constantFrom(1n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n),
);
const step: fc.Arbitrary<PathElement> = fc.oneof(
	fc.record({ kind: someText, id: id.map(String) }),
	fc.record({ kind: someText, name: someText }),
);
const key: fc.Arbitrary<OldKey> = fc.record({ namespace: text, path: fc.array(step, { minLength: 1, maxLength: 4 }) });

const sign = (number: number) => Math.sign(number);
const byUtf8 = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** Datastore's order, told once more and without bytes. */
function inOrder(a: OldKey, b: OldKey): number {
	const first = byUtf8(a.namespace, b.namespace);
	if (first !== 0) return first;
	for (const [index, left] of a.path.entries()) {
		const right = b.path[index];
		if (right === undefined) return 1;
		const found = byUtf8(left.kind, right.kind) || stepOrder(left, right);
		if (found !== 0) return found;
	}
	return a.path.length - b.path.length;
}

function stepOrder(a: PathElement, b: PathElement): number {
	if ("id" in a && "id" in b) return BigInt(a.id) < BigInt(b.id) ? -1 : Number(BigInt(a.id) > BigInt(b.id));
	if ("id" in a) return -1;
	if ("id" in b) return 1;
	return byUtf8(a.name, b.name);
}

test("a key is what its bytes say", () => {
	fc.assert(fc.property(key, (one) => expect(decodeKey(encodeKey(one))).toEqual(one)));
});

test("bytes have the order of keys", () => {
	fc.assert(
		fc.property(key, key, (a, b) => {
			expect(sign(Buffer.compare(encodeKey(a), encodeKey(b)))).toBe(sign(inOrder(a, b)));
		}),
		{ numRuns: 2000 },
	);
	// Neighbours: keys that differ in their last step only.
	fc.assert(
		fc.property(key, step, step, ({ namespace, path }, a, b) => {
			const ending = (last: PathElement): OldKey => ({ namespace, path: [...path, last] });
			const [left, right] = [ending(a), ending(b)];
			expect(sign(Buffer.compare(encodeKey(left), encodeKey(right)))).toBe(sign(inOrder(left, right)));
			expect(Buffer.compare(encodeKey({ namespace, path }), encodeKey(left))).toBe(-1);
		}),
		{ numRuns: 1000 },
	);
});

test("the order by UTF-8 is not that of JavaScript's strings", () => {
	const [astral, last] = ["\u{10000}", "\uffff"];
	expect(astral < last).toBe(true);
	const of = (name: string) => encodeKey({ namespace: "", path: [{ kind: "K", name }] });
	expect(Buffer.compare(of(astral), of(last))).toBe(1);
});

test("the bytes of a key are fixed: maps, ranges and checkpoints have them", () => {
	const one = encodeKey({
		namespace: "n",
		path: [
			{ kind: "K", id: "258" },
			{ kind: "é", name: "a\0b" },
		],
	});
	expect(one.toString("hex")).toBe(
		"6e0001" + "4b0001" + "01" + "0000000000000102" + "c3a90001" + "02" + "6100ff620001",
	);
});

test("ancestors and kinds are found in the bytes", () => {
	fc.assert(
		fc.property(key, (one) => {
			const bytes = encodeKey(one);
			const ancestors = one.path.slice(1).map((_, index) => ({ ...one, path: one.path.slice(0, index + 1) }));
			expect(ancestorEnds(bytes).map((end) => bytes.subarray(0, end))).toEqual(ancestors.map(encodeKey));
			expect(kindOf(bytes)).toBe(one.path.at(-1)!.kind);
		}),
	);
});

test("what no key is, is refused", () => {
	const of = (element: PathElement) => () => encodeKey({ namespace: "", path: [element] });
	for (const wrong of ["0", "-1", "", "01", "1.5", "1e3", "0x10", " 1", "9223372036854775808", "99999999999999999999"])
		expect(of({ kind: "K", id: wrong })).toThrow(RangeError);
	expect(of({ kind: "K", name: "\ud800" })).toThrow(RangeError);
	expect(of({ kind: "K", name: "a\udc00" })).toThrow(RangeError);
});

test("bytes that are cut off are damaged, wherever they end", () => {
	const bytes = encodeKey({
		namespace: "ns",
		path: [
			{ kind: "Kind", id: "7" },
			{ kind: "Other", name: "a\0b" },
		],
	});
	const whole = [bytes.length, ...ancestorEnds(bytes), 4];
	for (let end = 0; end < bytes.length; end++)
		if (!whole.includes(end)) expect(() => decodeKey(bytes.subarray(0, end))).toThrow("HF_DAMAGED");
});

test("a key as text", () => {
	expect(
		keyText({
			namespace: "",
			path: [
				{ kind: "Account", id: "5" },
				{ kind: "Dataset", name: 'a "b"' },
			],
		}),
	).toBe('Account:5/Dataset:"a \\"b\\""');
	expect(keyText({ namespace: "n", path: [{ kind: "A", id: "5" }] })).toBe("n!A:5");
});
