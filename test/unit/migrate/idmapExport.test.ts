import { buildIdMap } from "../../../runtime/migrate/idmap/build.ts";
import { describeIdMap } from "../../../runtime/migrate/idmap/describe.ts";
import { exportMap } from "../../../runtime/migrate/idmap/exportMap.ts";
import { openIdMap } from "../../../runtime/migrate/idmap/open.ts";
import { encodeKey } from "../../../runtime/migrate/oldKey.ts";
import { MapScene, named } from "../../support/idMaps.ts";

let scene: MapScene;
beforeEach(() => {
	scene = new MapScene();
});
afterEach(() => scene.remove());

async function exported(format: "ndjson" | "csv"): Promise<string> {
	const map = await openIdMap(scene.location);
	try {
		return [...exportMap(map, format)].join("");
	} finally {
		await map.close();
	}
}

/** RFC 4180, as a reader has it. */
function parseCsv(text: string): string[][] {
	const rows: string[][] = [];
	for (const line of text.match(/(?:"(?:[^"]|"")*"|[^"\r])+\r\n/g) ?? []) {
		const cells = [...`,${line.slice(0, -2)}`.matchAll(/,(?:"((?:[^"]|"")*)"|([^,"]*))/g)];
		rows.push(cells.map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? ""));
	}
	return rows;
}

test("NDJSON has every pair, and what it says is what a lookup says", async () => {
	scene.write([
		...named(3000),
		{
			namespace: "n",
			path: [
				{ kind: "A", id: "5" },
				{ kind: "B", name: "x\ny" },
			],
		},
	]);
	const { count } = await buildIdMap(scene.inputs());
	const lines = (await exported("ndjson")).trimEnd().split("\n");
	expect(lines).toHaveLength(count);
	const map = await openIdMap(scene.location);
	for (const line of lines) {
		const { newId, ...old } = JSON.parse(line);
		expect(map.lookup(encodeKey(old))).toBe(newId);
	}
	await map.close();
});

test("CSV keeps every name, and no cell is a formula to a spreadsheet", async () => {
	const names = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "'x", "''", 'a"b', "a,b", "a\r\nb", "plain", "5=5"];
	scene.write(names.map((name) => ({ kind: "K", name })));
	await buildIdMap(scene.inputs({ ids: { kind: "sequential" } }));
	const [head, ...rows] = parseCsv(await exported("csv"));
	expect(head).toEqual(["namespace", "kind", "old_id", "old_key", "new_id"]);
	expect(rows.flat().filter((cell) => /^[=+\-@\t\r]/.test(cell))).toEqual([]);
	expect(rows.map(([, , cell]) => cell!.replace(/^'/, "")).sort()).toEqual([...names].sort());
	expect(rows.map((row) => row.at(-1))).toEqual(rows.map((_, index) => String(index + 1)));
});

test("a description counts by kind, over all segments", async () => {
	scene.write([
		...named(10),
		{
			path: [
				{ kind: "Account", id: "5" },
				{ kind: "Report", id: "6" },
			],
		},
	]);
	await buildIdMap(scene.inputs());
	scene.write([...named(12)]);
	const { hash } = await buildIdMap(scene.inputs({ generation: 2 }));
	expect(await describeIdMap(scene.location)).toMatchObject({
		hash,
		count: 14,
		name: "things",
		strategy: "deterministic",
		format: "hex",
		kinds: { Account: 1, Dataset: 12, Report: 1 },
		segments: [{ count: 12 }, { count: 2, hash }],
	});
});
