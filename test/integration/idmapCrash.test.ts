import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { buildIdMap } from "../../runtime/migrate/idmap/build.ts";
import { verifyIdMap } from "../../runtime/migrate/idmap/verify.ts";
import type { IdMapInputs } from "../../runtime/migrate/model.ts";
import { MapScene, named } from "../support/idMaps.ts";
import { root } from "../support/node.ts";
import { peakOfThis } from "../support/peak.ts";
import { StorageServer } from "../support/storageServer.ts";
import { until } from "../support/until.ts";

let scene: MapScene;
const children: ChildProcess[] = [];
beforeEach(() => {
	scene = new MapScene(named(5000));
	mkdirSync(join(scene.folder, "home"));
});
afterEach(() => {
	for (const child of children.splice(0)) child.kill("SIGKILL");
	scene.remove();
});

/** A process that builds, as it ships; `options` are node's. */
function build(inputs: IdMapInputs, env: NodeJS.ProcessEnv = {}, options: string[] = []): ChildProcess {
	const script = `import { buildIdMap } from ${JSON.stringify(join(root, "runtime/migrate/idmap/build.ts"))};
		const chunks = [];
		for await (const chunk of process.stdin) chunks.push(chunk);
		const built = await buildIdMap(JSON.parse(Buffer.concat(chunks)));
		${peakOfThis}
		process.stdout.write(JSON.stringify({ ...built, rss: peak }));`;
	const child = spawn(process.execPath, [...options, "--input-type=module", "-e", script], {
		env: { ...process.env, HOLDFAST_HOME: join(scene.folder, "home"), ...env },
		stdio: ["pipe", "pipe", "inherit"],
	});
	children.push(child);
	child.stdin!.end(JSON.stringify(inputs));
	return child;
}

async function killedAt(point: string, inputs: IdMapInputs): Promise<void> {
	const mark = join(scene.folder, "home", "failpoint");
	rmSync(mark, { force: true });
	const child = build(inputs, { HOLDFAST_FAILPOINT: point });
	await until(`the build to be at ${point}`, 60_000, () => existsSync(mark));
	child.kill("SIGKILL");
	await once(child, "close");
}

describe.each(["deterministic", "random", "sequential"] as const)("%s ids", (kind) => {
	const ids = kind === "deterministic" ? { kind, secret: "a secret of some length" } : { kind };

	test.each(["idmap/sorted", "idmap/renamed"])("killed at %s, then built again: one map, whole", async (point) => {
		const inputs = scene.inputs({ ids });
		await killedAt(point, inputs);
		expect(existsSync(scene.segment())).toBe(point === "idmap/renamed");
		expect(existsSync(scene.segment(0, "json"))).toBe(false);
		expect(await buildIdMap(inputs)).toMatchObject({ count: 5000, changed: point === "idmap/sorted" });
		await verifyIdMap(scene.location, { sources: inputs.sources });

		scene.write(named(6000));
		const grown = { ...inputs, generation: 2 };
		await killedAt(point, grown);
		expect(await buildIdMap(grown)).toMatchObject({ count: 6000, segments: 2 });
		await verifyIdMap(scene.location, { sources: inputs.sources });
		expect(readdirSync(scene.location)).toHaveLength(4);
	});
});

test("killed between the uploads to a bucket, then built again", async () => {
	const server = await StorageServer.start();
	try {
		server.buckets.create("maps");
		const inputs = scene.inputs({ ids: { kind: "random" }, location: "gs://maps/m", endpoint: server.endpoint });
		await killedAt("idmap/renamed", inputs);
		expect(server.buckets.names("maps")).toEqual(["m/segment-0000.ids"]);
		const [built] = await once(build(inputs).stdout!, "data");
		expect(JSON.parse(String(built))).toMatchObject({ count: 5000, segments: 1, changed: false });
		expect(server.buckets.names("maps")).toEqual(["m/segment-0000.ids", "m/segment-0000.json"]);
	} finally {
		await server.stop();
	}
});

test("a heap that does not grow with the ids", async () => {
	scene.write(named(200_000));
	const child = build(scene.inputs(), {}, ["--max-old-space-size=24", "--max-semi-space-size=2"]);
	const [built] = await once(child.stdout!, "data");
	const { count, rss } = JSON.parse(String(built));
	expect(count).toBe(200_000);
	// KiB: the heap, 35 MiB of buffers, and Node with its libraries.
	expect(rss).toBeLessThan(200 * 1024);
});
