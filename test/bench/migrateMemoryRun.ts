// One migration of as many entities as the argument says; prints what memory it took, as JSON.
import { createHash } from "node:crypto";
import { entityTransfer } from "../../runtime/migrate/entityTransfer.ts";
import type { IdMap } from "../../runtime/migrate/idmap/idMap.ts";
import { runMigration } from "../../runtime/migrate/run.ts";
import { GeneratedSource } from "./generatedSource.ts";
import { declared } from "./migrateLoad.ts";
import { median } from "./stats.ts";

/** Works ids out instead of holding them: only what a run itself holds is to be seen. */
const map: IdMap = {
	...{ hash: "0".repeat(64), count: 0, format: "hex" },
	lookup: (key) => createHash("sha256").update(key).digest("hex").slice(0, 32),
	reverse: () => undefined,
	close: async () => {},
};
const count = Number(process.argv[2]);
const samples: number[] = [];
const timer = setInterval(() => samples.push(process.memoryUsage.rss() / 2 ** 20), 100);
const name = `memory-${count}`;
const declaration = declared({ name, database: name });
const start = performance.now();
await runMigration(
	declaration,
	{},
	{
		openIdMap: async () => map,
		openTransfer: async (_, options) => entityTransfer(declaration, { ...options, source: new GeneratedSource(count) }),
	},
);
clearInterval(timer);
process.stdout.write(
	JSON.stringify({
		peak: Math.max(...samples),
		settled: median(samples.slice(samples.length >> 1)),
		seconds: (performance.now() - start) / 1000,
	}),
);
