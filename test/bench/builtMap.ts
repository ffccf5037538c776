import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildIdMap } from "../../runtime/migrate/idmap/build.ts";
import type { IdMap } from "../../runtime/migrate/idmap/idMap.ts";
import { openIdMap } from "../../runtime/migrate/idmap/open.ts";
import { decodeKey } from "../../runtime/migrate/oldKey.ts";

/** A map as migrations use it, of these encoded keys; its files go with it when it is closed. */
export async function builtMap(keys: readonly Buffer[]): Promise<IdMap> {
	const folder = mkdtempSync(join(tmpdir(), "holdfast-bench-map-"));
	const path = join(folder, "keys");
	writeFileSync(path, keys.map((key) => `${JSON.stringify(decodeKey(key))}\n`).join(""));
	const location = join(folder, "map");
	await buildIdMap({
		...{ name: "bench", location, format: "hex", generation: 1 },
		ids: { kind: "deterministic", secret: "a secret of some length" },
		sources: [{ kind: "file", path }],
	});
	const map = await openIdMap(location);
	const close = async () => {
		await map.close();
		rmSync(folder, { recursive: true });
	};
	const { hash, count, format } = map;
	return { hash, count, format, lookup: (key) => map.lookup(key), reverse: (id) => map.reverse(id), close };
}
