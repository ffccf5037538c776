import { type Check, machineChecks } from "../checks.ts";
import { root } from "../environment.ts";
import { statusOf } from "../show.ts";
import { table } from "../table.ts";
import { toolList } from "../toolchain/list.ts";

/** Checks this machine, the programs and the stack. Exit code 4 when something must be mended first. */
export async function run({ stack, json }: { stack: string; json: boolean }): Promise<number> {
	const tools = (await toolList(root)).map(toolCheck);
	const checks = [...tools, ...(await machineChecks(stack)), ...(await clusterChecks(stack))];
	if (json) console.log(JSON.stringify(checks, null, 2));
	else print(checks);
	return checks.some(({ level }) => level === "fail") ? 4 : 0;
}

function toolCheck({ name, version, source, path, warnings }: Awaited<ReturnType<typeof toolList>>[number]): Check {
	const detail = `${version} (${source}) ${path}`;
	return warnings.length === 0
		? { name, level: "ok", detail }
		: { name, level: "warn", detail, fix: warnings.join("; ") };
}

async function clusterChecks(stack: string): Promise<Check[]> {
	const { clusters } = await statusOf(stack);
	return clusters.map(({ name, summary, healthy }) => ({
		name: `cluster ${name}`,
		level: healthy ? ("ok" as const) : ("fail" as const),
		detail: summary,
		...(healthy ? {} : { fix: "npm run holdfast -- status, then docs/runbook.md" }),
	}));
}

function print(checks: Check[]): void {
	const rows = checks.map(({ level, name, detail }) => [level.toUpperCase(), name, detail]);
	console.log(table([["", "CHECK", "FOUND"], ...rows]));
	for (const { name, fix } of checks.filter(({ fix }) => fix !== undefined)) console.log(`\n${name}: ${fix}`);
}
