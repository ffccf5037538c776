// npm run bench -- mongo [startup|failover|quiet]
import { failover } from "./failover.ts";
import { quiet } from "./quiet.ts";
import { startup } from "./startup.ts";

const [system, only] = process.argv.slice(2);
if (system !== "mongo") {
	console.error("usage: npm run bench -- mongo [startup|failover|quiet]");
	process.exit(2);
}
const parts: Record<string, () => Promise<void>> = { startup, failover, quiet };
for (const [name, part] of Object.entries(parts)) if (only === undefined || only === name) await part();
