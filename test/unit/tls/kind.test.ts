import { serve } from "../../../runtime/lifecycle.ts";
import { identityKind } from "../../../runtime/tls/identityKind.ts";
import type { IdentityInputs, IdentityOutputs } from "../../../runtime/tls/model.ts";
import { identity, PASSPHRASE } from "../../support/certificates.ts";

type State = IdentityInputs & IdentityOutputs;
const OTHER = "another passphrase, and long";

const create = async (change: Partial<IdentityInputs> = {}): Promise<State> => {
	const inputs = identity(change);
	return { ...inputs, ...(await identityKind.ensure(inputs)) };
};
const update = async (previous: State, change: Partial<IdentityInputs>): Promise<State> => {
	const inputs = identity(change);
	return { ...inputs, ...(await identityKind.ensure(inputs, previous)) };
};

test("a rotation trusts the new CA first, signs with it then, and forgets the old one last", async () => {
	const first = await create();
	const trusting = await update(first, { trusted: [1, 2] });
	// The same key, told apart by its number: Patroni reads the CAs anew with a certificate of another number only.
	expect(trusting.files["postgres.key"]).toBe(first.files["postgres.key"]);
	expect(trusting.files["postgres.crt"]).not.toBe(first.files["postgres.crt"]);
	expect(trusting.ca).toContain(first.ca);
	const turned = await update(trusting, { trusted: [1, 2], generation: 2 });
	expect(turned.ca).toBe(trusting.ca);
	expect(turned.files["postgres.key"]).not.toBe(first.files["postgres.key"]);
	const done = await update(turned, { trusted: [2], generation: 2 });
	expect(done.files["postgres.key"]).toBe(turned.files["postgres.key"]);
	expect(done.files).toEqual((await create({ trusted: [2], generation: 2 })).files);
	expect(done.ca).not.toContain(first.ca);
});

test("the passphrase itself is replaced in the same three steps", async () => {
	const first = await create();
	const former = { passphrase: PASSPHRASE, generation: 1 };
	const trusting = await update(first, { passphrase: OTHER, former, trusted: [1, 2] });
	// The same key, told apart by its number: Patroni reads the CAs anew with a certificate of another number only.
	expect(trusting.files["postgres.key"]).toBe(first.files["postgres.key"]);
	expect(trusting.files["postgres.crt"]).not.toBe(first.files["postgres.crt"]);
	const turned = await update(trusting, { passphrase: OTHER, former, trusted: [1, 2], generation: 2 });
	const done = await update(turned, { passphrase: OTHER, trusted: [2], generation: 2 });
	expect(done.files).toEqual((await create({ passphrase: OTHER, trusted: [2], generation: 2 })).files);
});

test.each([
	["raised at once", {}, { generation: 2, trusted: [2] }, /^HF_SETTING: generation of db\/db-0 is now 2/],
	["raised and trusted at once", {}, { generation: 2, trusted: [1, 2] }, /set trusted to \[1, 2\]/],
	[
		"the old one dropped at once",
		{ trusted: [1, 2] },
		{ generation: 2, trusted: [2] },
		/^HF_SETTING: trusted of db\/db-0 drops generation 1.*keep 1 in trusted until an up with generation 2/,
	],
	["another passphrase", {}, { passphrase: OTHER }, /^HF_SETTING: the passphrase of db\/db-0 changed for generation 1/],
	[
		"another passphrase in the middle of a rotation",
		{ trusted: [1, 2] },
		{ trusted: [1, 2], generation: 2, passphrase: OTHER, former: { passphrase: PASSPHRASE, generation: 1 } },
		/changed for generation 2/,
	],
])("what members in the middle of a change would not understand is refused: %s", async (_, before, after, message) => {
	const refused = update(await create(before), after);
	await expect(refused).rejects.toThrow(message);
	await expect(refused).rejects.not.toThrow(new RegExp(`${PASSPHRASE}|${OTHER}`));
});

test("certificates are renewed, and hosts changed, under the same keys", async () => {
	const first = await create();
	const renewed = await update(first, { epoch: "2026-02-01", hosts: ["127.0.0.9"] });
	expect(renewed.files["postgres.key"]).toBe(first.files["postgres.key"]);
	expect([renewed.notAfter, first.notAfter]).toEqual(["2036-01-30T00:00:00.000Z", "2035-12-30T00:00:00.000Z"]);
});

describe("certificates that nobody would accept today are not made", () => {
	beforeEach(() => void jest.useFakeTimers({ doNotFake: ["nextTick", "setImmediate"] }));
	afterEach(() => void jest.useRealTimers());
	test.each([
		["2025-12-31T23:59:59Z", /^HF_SETTING: the certificates of db\/db-0 begin on 2026-01-01/],
		["2026-01-01T00:00:00Z", undefined],
		["2026-01-10T23:59:59Z", undefined],
		["2026-01-11T00:00:00Z", /ended on 2026-01-11/],
	])("at %s", async (now, message) => {
		jest.setSystemTime(new Date(now));
		const made = create({ days: 10 });
		if (message) await expect(made).rejects.toThrow(message);
		else await expect(made).resolves.toMatchObject({ notAfter: "2026-01-11T00:00:00.000Z" });
	});
});

test("refresh computes them again and finds no drift; removal removes nothing", async () => {
	const { files, ca, notAfter, ...inputs } = await create({ services: ["mongod"] });
	const state = { ...inputs, files, ca, notAfter };
	expect(await serve("tls/Identity", "read", ["db/db-0", state])).toEqual({ id: "db/db-0", props: state, inputs });
	await expect(serve("tls/Identity", "delete", ["db/db-0", state])).resolves.toBeUndefined();
	const { id } = (await serve("tls/Identity", "create", [inputs])) as { id: string };
	expect(id).toBe("db/db-0");
});

test("values that preview does not know pass the check; what is known is checked", async () => {
	const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
	const check = (inputs: object) => serve("tls/Identity", "check", [inputs, inputs]);
	expect(await check(identity({ passphrase: unknown }))).toMatchObject({ failures: [] });
	expect(await check(identity({ passphrase: unknown, generation: 2 }))).toMatchObject({
		failures: [{ property: "", reason: "HF_SETTING: trusted: must include generation 2, which signs" }],
	});
});
