import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type KindName, kinds } from "../../runtime/kinds.ts";
import { serve } from "../../runtime/lifecycle.ts";
import { root } from "../support/node.ts";

/** A resource as Pulumi's state keeps it, with made-up secrets. */
interface Recorded {
	kind: KindName;
	id: string;
	inputs: Record<string, unknown>;
	outputs: Record<string, unknown>;
}

const folder = join(root, "test/upgrade");
const releases = readdirSync(folder);
let home: string;

beforeEach(() => {
	home = mkdtempSync(join(tmpdir(), "holdfast-upgrade-"));
	process.env.HOLDFAST_HOME = home;
});
afterEach(() => {
	rmSync(home, { recursive: true });
	delete process.env.HOLDFAST_HOME;
});

test("there is a recorded state of every kind", () => {
	const files = new Set(releases.flatMap((release) => readdirSync(join(folder, release))));
	expect(Object.keys(kinds).filter((kind) => !files.has(`${kind.replace("/", "-")}.json`))).toEqual([]);
});

describe.each(releases)("state of release %s", (release) => {
	const text = (name: string) => readFileSync(join(folder, release, `${name}.json`), "utf8");
	/** Addresses at which nobody answers, whatever runs on this machine. */
	const read = <T>(name: string): T => JSON.parse(text(name).replace(/\b2701([789])\b/g, "$1")) as T;
	const recorded = (kind: KindName) => read<Recorded>(kind.replace("/", "-"));
	const all = readdirSync(join(folder, release))
		.map((file) => JSON.parse(readFileSync(join(folder, release, file), "utf8")) as Recorded)
		.filter(({ kind }) => kind !== undefined);
	const put = (name: string, path: string) => {
		mkdirSync(join(home, path, ".."), { recursive: true, mode: 0o700 });
		writeFileSync(join(home, path), JSON.stringify(read(name)), { mode: 0o600 });
	};

	test.each(all.map(({ kind }) => kind))("%s: inputs pass the check, and nothing is replaced", async (kind) => {
		const { id, inputs, outputs } = recorded(kind);
		expect(await serve(kind, "check", [inputs, inputs])).toEqual({ inputs, failures: [] });
		expect(await serve(kind, "diff", [id, outputs, inputs])).toEqual({ replaces: [], deleteBeforeReplace: true });
	});

	test.each([
		"platform/Host",
		"platform/Member",
		"mongo/ReplicaSet",
		"mongo/User",
		"mongo/Role",
	] as const)("%s: what is gone reads as gone, and is removed without complaint", async (kind) => {
		const { id, outputs } = recorded(kind);
		expect(await serve(kind, "read", [id, outputs])).toEqual({});
		await expect(serve(kind, "delete", [id, outputs])).resolves.toBeUndefined();
	});

	test.each(["secret/Secret", "mongo/Retire"] as const)("%s: lives in the state alone", async (kind) => {
		const { id, inputs, outputs } = recorded(kind);
		expect(await serve(kind, "read", [id, outputs])).toEqual({ id, inputs, props: outputs });
		await expect(serve(kind, "delete", [id, outputs])).resolves.toBeUndefined();
	});

	test.each([
		"migrate/IdMap",
		"migrate/Migration",
	] as const)("%s: leaves what it made when it is deleted", async (kind) => {
		const { id, outputs } = recorded(kind);
		const said = jest.spyOn(console, "log").mockImplementation(() => undefined);
		await expect(serve(kind, "delete", [id, outputs])).resolves.toBeUndefined();
		expect(said).toHaveBeenCalledWith(expect.stringContaining(id));
		said.mockRestore();
	});

	test("a secret outlives the upgrade, and rotates when it is asked for", async () => {
		const { id, inputs, outputs } = recorded("secret/Secret");
		const update = async (news: object) =>
			(await serve("secret/Secret", "update", [id, outputs, news])) as { outs: typeof outputs };
		expect((await update(inputs)).outs).toEqual(outputs);
		const source = { ...(inputs.source as object), generation: 2 };
		expect((await update({ ...inputs, source })).outs.value).not.toBe(outputs.value);
	});

	test("a set whose members do not answer shows as drift, not as gone", async () => {
		put("record", "demo/clusters/rs0.json");
		const { id, inputs, outputs } = recorded("mongo/ReplicaSet");
		const { props, inputs: found } = (await serve("mongo/ReplicaSet", "read", [id, outputs])) as {
			props: object;
			inputs: object;
		};
		expect(found).toEqual({ ...inputs, members: [] });
		expect(props).toEqual({ ...outputs, members: [] });
	});

	test("a stopped member is found by its records, and its folder is removed", async () => {
		const member = join(home, "demo/members/rs0-0");
		put("host", "demo/host.json");
		put("owner", "demo/members/rs0-0/owner.json");
		put("processes", "demo/members/rs0-0/processes.json");
		mkdirSync(join(member, "data"));
		writeFileSync(join(member, "data", "WiredTiger"), "data");
		const { id, outputs } = recorded("platform/Member");
		const { inputs } = (await serve("platform/Member", "read", [id, outputs])) as {
			inputs: { run: string; files: object };
		};
		expect(inputs.run).not.toBe("running");
		await serve("platform/Member", "delete", [id, outputs]);
		expect(existsSync(member)).toBe(false);
		const host = recorded("platform/Host");
		expect(await serve("platform/Host", "read", [host.id, host.outputs])).toMatchObject({
			inputs: { run: "stopped" },
			props: { hostId: host.outputs.hostId },
		});
		await serve("platform/Host", "delete", [host.id, host.outputs]);
		expect(existsSync(join(home, "demo", "host.json"))).toBe(false);
	});

	test("a member's folder that somebody else has taken over is left alone", async () => {
		put("owner", "demo/members/rs0-0/owner.json");
		const { id, outputs } = recorded("platform/Member");
		await expect(serve("platform/Member", "delete", [id, { ...outputs, hostId: "another" }])).rejects.toThrow(
			/^HF_FOREIGN: member rs0-0/,
		);
		expect(existsSync(join(home, "demo/members/rs0-0/owner.json"))).toBe(true);
	});
});
