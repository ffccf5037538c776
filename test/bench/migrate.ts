import { idmapBench } from "./idmap.ts";
import { endToEndBench } from "./migrateEndToEnd.ts";
import { loadBench } from "./migrateLoad.ts";
import { memoryBench } from "./migrateMemory.ts";
import { transformBench } from "./migrateTransform.ts";
import { verifyBench } from "./migrateVerify.ts";

/** The parts of `npm run bench -- migrate`. */
export const migrate: Record<string, () => Promise<void>> = {
	load: loadBench,
	end: endToEndBench,
	memory: memoryBench,
	transform: transformBench,
	idmap: idmapBench,
	verify: verifyBench,
};
