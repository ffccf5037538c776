// npm run bench -- mongo [startup|size|failover|quiet]
import { failover } from "./failover.ts";
import { quiet } from "./quiet.ts";
import { size } from "./size.ts";
import { startup } from "./startup.ts";

const [system, only] = process.argv.slice(2);
if (system !== "mongo") {
	console.error("usage: npm run bench -- mongo [startup|size|failover|quiet]");
	process.exit(2);
}
const parts: Record<string, () => Promise<void>> = { startup, size, failover, quiet };
for (const [name, part] of Object.entries(parts)) if (only === undefined || only === name) await part();
