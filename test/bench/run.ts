// npm run bench -- mongo [startup|size|failover|quiet], or postgres [startup|failover]
import { failover } from "./failover.ts";
import { postgresFailover } from "./postgresFailover.ts";
import { postgresStartup } from "./postgresStartup.ts";
import { quiet } from "./quiet.ts";
import { size } from "./size.ts";
import { startup } from "./startup.ts";

const systems: Record<string, Record<string, () => Promise<void>>> = {
	mongo: { startup, size, failover, quiet },
	postgres: { startup: postgresStartup, failover: postgresFailover },
};
const [system = "", only] = process.argv.slice(2);
const parts = systems[system];
if (!parts || (only !== undefined && !(only in parts))) {
	console.error("usage: npm run bench -- mongo [startup|size|failover|quiet] | postgres [startup|failover]");
	process.exit(2);
}
for (const [name, part] of Object.entries(parts)) if (only === undefined || only === name) await part();
