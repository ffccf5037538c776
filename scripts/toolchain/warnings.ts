import { type Build, compareVersions, matchesBuild, type RecordedTool } from "../../runtime/tools.ts";
import { PACKAGES, PATH } from "./probe.ts";

/** First release of each series without CVE-2025-14847 (unauthenticated reads of memory through zlib). */
const FIXED_MONGOD: Record<string, string> = { "6.0": "6.0.27", "7.0": "7.0.28", "8.0": "8.0.17" };

/** First release of each major version without CVE-2026-6473 (writes out of bounds by any user of a database). */
const FIXED_POSTGRES: Record<string, string> = { 15: "15.18", 16: "16.14", 17: "17.10", 18: "18.4" };

/**
 * First release of each series without CVE-2025-49844 (a script leaves Lua's sandbox). Debian mends its 7.0 without
 * another version, and nobody else releases 7.0 any more.
 */
const FIXED_REDIS: Record<string, string> = {
	"6.2": "6.2.20",
	"7.2": "7.2.11",
	"7.4": "7.4.6",
	"8.0": "8.0.4",
	"8.2": "8.2.2",
};

const major = (version: string) => version.split(".")[0]!;
const seriesOf = (version: string) => version.split(".").slice(0, 2).join(".");

/** What an operator should know about a program and its builds; empty when there is nothing to say. */
export function warningsOf(name: string, tool: Omit<RecordedTool, "path">): string[] {
	if (name === "mongod") return ofMongod(tool.version);
	if (name === "redis-server") return ofRedis(tool.version);
	if (name !== "postgres") return [];
	const builds = [tool, ...tool.builds];
	return [...withoutUpdates(tool), ...unfixed(builds), ...withoutTls(builds)];
}

function ofMongod(version: string): string[] {
	const series = seriesOf(version);
	const warnings: string[] = [];
	if (compareVersions(version, "7.0") < 0) {
		warnings.push(`MongoDB ${series} is out of support: put mongod 7.0 or 8.0 on PATH for data that matters`);
	}
	const fixed = FIXED_MONGOD[series];
	if (fixed !== undefined && compareVersions(version, fixed) < 0) {
		warnings.push(`CVE-2025-14847 is fixed in ${fixed}: until then leave zlib out of the compressors`);
	}
	return warnings;
}

function ofRedis(version: string): string[] {
	const series = seriesOf(version);
	const fixed = FIXED_REDIS[series];
	const old = `Redis ${series} is old and has no Functions: put redis-server 7.0 or newer on PATH (Debian: redis-server) for data that matters`;
	const leak = `CVE-2025-49844 is fixed in ${fixed}: until then let nobody but Holdfast's managers run scripts, as their ACL has it`;
	return [
		...(compareVersions(version, "7.0") < 0 ? [old] : []),
		...(fixed !== undefined && compareVersions(version, fixed) < 0 ? [leak] : []),
	];
}

function withoutUpdates({ version, source }: Omit<RecordedTool, "path">): string[] {
	if (source === PATH || source === PACKAGES) return [];
	const wanted = `your system's PostgreSQL ${major(version)} (Debian: postgresql-${major(version)})`;
	return [`PostgreSQL ${version} is a build that gets no updates: install ${wanted} for data that matters`];
}

function unfixed(builds: readonly Pick<Build, "version">[]): string[] {
	const old = [...new Set(builds.map(({ version }) => version))].filter((version) => {
		const fixed = FIXED_POSTGRES[major(version)];
		return fixed !== undefined && compareVersions(version, fixed) < 0;
	});
	return old.map((version) => `CVE-2026-6473 of PostgreSQL ${version} is fixed in ${FIXED_POSTGRES[major(version)]}`);
}

function withoutTls(builds: readonly Pick<Build, "version" | "tls">[]): string[] {
	const majors = [...new Set(builds.filter(({ tls }) => tls === false).map(({ version }) => major(version)))];
	const bare = majors.filter((wanted) => !builds.some(({ version, tls }) => tls && matchesBuild(version, wanted)));
	return bare.map(
		(wanted) =>
			`PostgreSQL ${wanted} here has no TLS: for clusters with TLS install Debian's postgresql-${wanted} or put one with TLS on PATH`,
	);
}
