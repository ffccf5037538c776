import { type SecretInputs, secretSchema } from "../../runtime/secret/model.ts";
import { secretKind } from "../../runtime/secret/secret.ts";

const PASSPHRASE = "correct horse battery staple";
const generated = (change: object = {}): SecretInputs =>
	({
		name: "key",
		source: { kind: "generated", bytes: 32, encoding: "base64url", generation: 1, ...change },
	}) as SecretInputs;
const derived = (change: object = {}, name = "key"): SecretInputs =>
	({
		name,
		source: { kind: "derived", passphrase: PASSPHRASE, bytes: 32, encoding: "hex", generation: 1, ...change },
	}) as SecretInputs;
const make = async (inputs: SecretInputs, previous?: Parameters<typeof secretKind.ensure>[1]) =>
	(await secretKind.ensure(inputs, previous)).value;

test("a generated secret has the bytes and the encoding that were asked for, and is never the same", async () => {
	const values = await Promise.all([make(generated()), make(generated())]);
	expect(new Set(values).size).toBe(2);
	expect(values[0]).toMatch(/^[A-Za-z0-9_-]{43}$/);
	expect(await make(generated({ bytes: 756, encoding: "base64" }))).toMatch(/^[A-Za-z0-9+/]{1008}$/);
	expect(await make(generated({ bytes: 16, encoding: "hex" }))).toMatch(/^[0-9a-f]{32}$/);
});

test("a secret stays as it is until its generation or shape changes", async () => {
	const value = await make(generated());
	const previous = { ...generated(), value };
	expect(await make(generated(), previous)).toBe(value);
	const source = Object.fromEntries(Object.entries(previous.source).reverse()) as typeof previous.source;
	expect(await make(generated(), { ...previous, source })).toBe(value);
	expect(await make(generated({ generation: 2 }), previous)).not.toBe(value);
	expect(await make(generated({ encoding: "hex" }), previous)).toMatch(/^[0-9a-f]{64}$/);
});

test("a derived secret is the same on every host, and another one for another name, passphrase or generation", async () => {
	const value = await make(derived());
	// Written down: a change of the derivation would change every derived secret in the field.
	expect(value).toBe("4e5f9130489f8499401af6422f62e70cb11f1fde6334138543019eda69c9f34e");
	expect(await make(derived())).toBe(value);
	const others = await Promise.all([
		make(derived({}, "other")),
		make(derived({ generation: 2 })),
		make(derived({ passphrase: `${PASSPHRASE}!` })),
	]);
	expect(new Set([value, ...others]).size).toBe(4);
});

test("a given secret is what was given; given no longer, it stays until the generation rises", async () => {
	const given: SecretInputs = { name: "key", source: { kind: "given", value: "the operator's" } };
	const previous = { ...given, value: "the operator's" };
	expect(await make(given)).toBe("the operator's");
	expect(await make({ ...given, source: { kind: "given", value: "another" } }, previous)).toBe("another");
	expect(await make(generated(), previous)).toBe("the operator's");
	expect(await make(generated(), { ...generated(), value: await make(generated(), previous) })).toBe("the operator's");
	expect(await make(generated({ generation: 2 }), previous)).toMatch(/^[A-Za-z0-9_-]{43}$/);
	expect(await make(derived(), previous)).toBe(await make(derived()));
	expect(secretSchema.safeParse({ ...given, source: { kind: "given", value: "" } }).success).toBe(false);
});

test("a passphrase that is too short is refused, without being said", () => {
	const result = secretSchema.safeParse(derived({ passphrase: "too short" }));
	expect(result.error?.issues.map(({ path, message }) => [path.join("."), message])).toEqual([
		["source.passphrase", "use at least 16 characters"],
	]);
	expect(JSON.stringify(result.error)).not.toContain("too short");
});

test("a secret is read from the state it lives in, and removing it removes nothing else", async () => {
	const state = { ...generated(), value: "kept" };
	expect(await secretKind.observe("key", state)).toEqual({ outputs: { value: "kept" } });
	await expect(secretKind.remove("key", state)).resolves.toBeUndefined();
	expect(secretKind.id(state)).toBe("key");
});
