import { z } from "zod";
import { HoldfastError, NotReady } from "../../runtime/errors.ts";
import type { Kind } from "../../runtime/kind.ts";
import type { KindName } from "../../runtime/kinds.ts";
import { problems, serve, type Verb } from "../../runtime/lifecycle.ts";

const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const CODE = "exports.handler = () => {}";

interface Inputs {
	name: string;
	password: string;
	size?: number | undefined;
	nested?: { items: { port: number }[] } | undefined;
}
interface Outputs {
	address: string;
	note?: string | undefined;
}

const schema = z.strictObject({
	name: z.string().min(1),
	password: z.string().min(8, "use at least 8 characters"),
	size: z.number().int().max(7).optional(),
	nested: z.strictObject({ items: z.array(z.strictObject({ port: z.number() })).min(1) }).optional(),
});

const fake: jest.Mocked<Kind<Inputs, Outputs>> = {
	id: jest.fn(({ name }: Inputs) => `fake/${name}`),
	ensure: jest.fn(),
	observe: jest.fn(),
	remove: jest.fn(),
};

const rules = { schema, replaces: ["name"] };

jest.mock("../../runtime/kinds.ts", () => ({
	kinds: { "test/Fake": true },
	loadRules: async () => rules,
	loadKind: async () => fake,
}));

const run = (verb: Verb, ...args: unknown[]) => serve("test/Fake" as KindName, verb, args);
const inputs = { name: "a", password: "long enough", __provider: CODE };

/** What a verb throws, with what Pulumi looks for on it. */
const failure = (running: Promise<unknown>) =>
	running.then(
		() => Promise.reject(new Error("it did not fail")),
		(error: Error & { id?: string; properties?: object; reasons?: string[] }) => error,
	);

beforeEach(() => {
	jest.clearAllMocks();
	fake.ensure.mockResolvedValue({ address: "here", note: undefined });
});

describe("check", () => {
	const failures = async (news: object) =>
		((await run("check", {}, news)) as { failures: { property: string; reason: string }[] }).failures;

	test("passes what fits, with the provider's text, and without undefined", async () => {
		expect(await run("check", {}, { ...inputs, size: undefined })).toEqual({ inputs, failures: [] });
	});

	test("a value that is not known yet passes, whatever its type and depth", async () => {
		for (const change of [
			{ password: UNKNOWN },
			{ size: UNKNOWN },
			{ nested: UNKNOWN },
			{ nested: { items: UNKNOWN } },
			{ nested: { items: [{ port: UNKNOWN }] } },
			{ nested: { items: [UNKNOWN, { port: 1 }] } },
		]) {
			expect(await failures({ ...inputs, ...change })).toEqual([]);
		}
	});

	test("beside an unknown value, a wrong one is still refused", async () => {
		expect(await failures({ ...inputs, size: 8, nested: { items: [{ port: UNKNOWN }, { port: "x" }] } })).toEqual([
			{ property: "", reason: expect.stringMatching(/^HF_SETTING: size: /) },
			{ property: "", reason: expect.stringMatching(/^HF_SETTING: nested\.items\.1\.port: /) },
		]);
	});

	test("a failure names the setting and never the value: Pulumi would print that of a named property", async () => {
		const [failure] = await failures({ ...inputs, password: "hunter2" });
		expect(failure).toEqual({ property: "", reason: "HF_SETTING: password: use at least 8 characters" });
		expect(JSON.stringify(await failures({ ...inputs, password: ["hunter2"], hunter3: 1 }))).not.toContain("hunter2");
	});

	test("a setting that does not exist is refused by name", () => {
		expect(problems(rules, { ...inputs, siez: 1 })).toEqual([expect.stringContaining('"siez"')]);
	});
});

describe("diff", () => {
	test("says only what replaces, and leaves the rest of the comparison to the engine", async () => {
		const olds = { ...inputs, address: "here" };
		expect(await run("diff", "id", olds, { ...inputs, password: "another one" })).toEqual({
			replaces: [],
			deleteBeforeReplace: true,
		});
		expect(await run("diff", "id", olds, { ...inputs, name: "b" })).toEqual({
			replaces: ["name"],
			deleteBeforeReplace: true,
		});
	});
});

describe("create and update", () => {
	test("state is the inputs, the provider's text and the results, without undefined", async () => {
		expect(await run("create", { ...inputs, size: undefined })).toEqual({
			id: "fake/a",
			outs: { ...inputs, address: "here" },
		});
		expect(fake.ensure).toHaveBeenCalledWith({ name: "a", password: "long enough" }, undefined);
	});

	test("update gives the kind the stored state beside the new inputs", async () => {
		const news = { ...inputs, size: 3 };
		expect(await run("update", "fake/a", { ...inputs, address: "here" }, news)).toEqual({
			outs: { ...news, address: "here" },
		});
		expect(fake.ensure).toHaveBeenCalledWith(
			{ name: "a", password: "long enough", size: 3 },
			expect.objectContaining({ address: "here" }),
		);
	});

	test("inputs that became known only now are checked before anything is done", async () => {
		await expect(run("create", { ...inputs, password: "hunter2" })).rejects.toThrow(
			/^HF_SETTING: password: use at least 8 characters/,
		);
		await expect(run("create", { ...inputs, password: UNKNOWN })).rejects.toThrow(/^HF_INTERNAL: .*not known yet/);
		expect(fake.ensure).not.toHaveBeenCalled();
	});

	test("half-done keeps id, inputs and the provider's text: without it state can be neither refreshed nor destroyed", async () => {
		fake.ensure.mockRejectedValue(
			new NotReady("fake/a", { address: "half", note: undefined }, "member 2 does not answer"),
		);
		const error = await failure(run("create", inputs));
		expect(error).toMatchObject({ id: "fake/a", properties: { ...inputs, address: "half" } });
		expect(error.reasons).toEqual([expect.stringMatching(/^HF_NOT_READY: member 2 does not answer\. Next: /)]);
		expect(error.properties).not.toHaveProperty("note");
	});

	test("any other failure is told with its cause and without an id: nothing was made", async () => {
		const cause = new Error("ECONNREFUSED");
		fake.ensure.mockRejectedValue(
			new HoldfastError("HF_UNREACHABLE", "127.0.0.1:1 is silent", { next: "start it", cause }),
		);
		const error = await failure(run("update", "fake/a", inputs, inputs));
		expect(error.message).toBe("HF_UNREACHABLE: 127.0.0.1:1 is silent. Next: start it (ECONNREFUSED)");
		expect(error.id).toBeUndefined();
	});
});

describe("read", () => {
	const state = { ...inputs, size: 3, address: "here" };

	test("what is gone is an empty answer", async () => {
		fake.observe.mockResolvedValue(undefined);
		expect(await run("read", "fake/a", state)).toEqual({});
	});

	test("drift shows among the inputs, results among the properties only", async () => {
		fake.observe.mockResolvedValue({ inputs: { size: 1, nested: undefined }, outputs: { address: "there" } });
		expect(await run("read", "fake/a", state)).toEqual({
			id: "fake/a",
			props: { ...inputs, size: 1, address: "there" },
			inputs: { ...inputs, size: 1 },
		});
	});
});

test("delete passes the stored state to the kind", async () => {
	await run("delete", "fake/a", { ...inputs, address: "here" });
	expect(fake.remove).toHaveBeenCalledWith("fake/a", { ...inputs, address: "here" });
});

test("a kind that does not exist is refused", async () => {
	await expect(serve("test/Other" as KindName, "read", ["x", {}])).rejects.toThrow(
		"HF_INTERNAL: there is no kind test/Other",
	);
});
