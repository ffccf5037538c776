// npm run bench -- mongo|postgres|redis|migrate [part]
import { failover } from "./failover.ts";
import { migrate } from "./migrate.ts";
import { postgresFailover } from "./postgresFailover.ts";
import { postgresStartup } from "./postgresStartup.ts";
import { quiet } from "./quiet.ts";
import { redisRate } from "./redisRate.ts";
import { redisScale } from "./redisScale.ts";
import { redisSync } from "./redisSync.ts";
import { size } from "./size.ts";
import { startup } from "./startup.ts";

const systems: Record<string, Record<string, () => Promise<void>>> = {
	mongo: { startup, size, failover, quiet },
	postgres: { startup: postgresStartup, failover: postgresFailover },
	redis: { rate: redisRate, sync: redisSync, scale: redisScale },
	migrate,
};
const [system = "", only] = process.argv.slice(2);
const parts = systems[system];
if (!parts || (only !== undefined && !(only in parts))) {
	const usage = Object.entries(systems).map(([name, all]) => `${name} [${Object.keys(all).join("|")}]`);
	console.error(`usage: npm run bench -- ${usage.join(" | ")}`);
	process.exit(2);
}
for (const [name, part] of Object.entries(parts)) if (only === undefined || only === name) await part();
