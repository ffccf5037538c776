import type { Build } from "../../../runtime/tools.ts";
import { warningsOf } from "../../../scripts/toolchain/warnings.ts";

function expectWarnings(warnings: string[], expected: RegExp[]): void {
	expect(warnings).toHaveLength(expected.length);
	expected.forEach((pattern, index) => {
		expect(warnings[index]).toMatch(pattern);
	});
}

test.each([
	["mongod", "6.0.5", [/out of support/, /6\.0\.27/]],
	["mongod", "6.0.27", [/out of support/]],
	["mongod", "7.0.27", [/7\.0\.28/]],
	["mongod", "8.0.17", []],
	["supervisord", "4.2.0", []],
	["etcd", "3.6.9", []],
	["redis-server", "6.2.5", [/Redis 6\.2 is old and has no Functions/, /CVE-2025-49844 is fixed in 6\.2\.20/]],
	["redis-server", "6.2.20", [/old/]],
	["redis-server", "7.0.15", []],
	["redis-server", "7.2.10", [/7\.2\.11/]],
	["redis-server", "8.2.2", []],
] as [string, string, RegExp[]][])("%s %s", (name, version, expected) => {
	expectWarnings(warningsOf(name, { version, source: "PATH", builds: [] }), expected);
});

const build = (version: string, tls?: boolean): Build => ({ path: `/${version}`, version, tls });

test.each([
	["a current package with TLS", "system packages", [build("18.4", true)], []],
	["a build of a registry", "PyPI", [build("18.4", true)], [/18\.4 is a build that gets no updates.*postgresql-18/]],
	["an old release", "PATH", [build("18.3", true)], [/CVE-2026-6473 of PostgreSQL 18\.3 is fixed in 18\.4/]],
	[
		"an old release that can be named",
		"PATH",
		[build("18.4", true), build("16.9", true)],
		[/16\.9 is fixed in 16\.14/],
	],
	["the same old release twice", "PATH", [build("15.9", true), build("15.9", true)], [/15\.9 is fixed in 15\.18/]],
	["no TLS", "PATH", [build("18.4", false), build("16.14", true)], [/PostgreSQL 18 here has no TLS.*postgresql-18/]],
	[
		"no TLS in a version that can be named",
		"PATH",
		[build("18.4", true), build("16.14", false)],
		[/16 here has no TLS/],
	],
	["TLS in another build of the version", "PATH", [build("18.4", false), build("18.5", true)], []],
	["one that does not run", "PATH", [build("18.4")], []],
] as [string, string, [Build, ...Build[]], RegExp[]][])("PostgreSQL: %s", (_, source, [first, ...builds], expected) => {
	expectWarnings(warningsOf("postgres", { ...first, source, builds }), expected);
});
