// Runs the tests: quick ones first, then those with real servers, several files at a time (they mostly wait); the counts
// come last. --long runs what has a long form, one file after another.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const args = process.argv.slice(2);
const long = args.includes("--long");
const rest = args.filter((arg) => arg !== "--long");
const results = mkdtempSync(join(tmpdir(), "holdfast-test-"));
// Every stack of a test has a home of its own; what is compiled is the same in all of them.
const compiled = { NODE_COMPILE_CACHE: resolve(".holdfast/compile-cache") };
const env = { ...process.env, ...compiled, ...(long ? { HOLDFAST_LONG: "1" } : {}) };
const rounds = long
	? [
			["faults", "--runInBand"],
			[
				"integration",
				"--runInBand",
				"--testPathPatterns",
				"processes|postgres(Change|Databases|Objects|Refusals|Scale|Tls)",
			],
		]
	: [
			["unit components", "--maxWorkers=2"],
			["integration faults", "--maxWorkers=4"],
		];
const total = { passed: 0, failed: 0, skipped: 0 };
for (const [projects, ...options] of rounds) {
	const file = join(results, "result.json");
	const jest = [
		"--experimental-vm-modules",
		"--disable-warning=ExperimentalWarning",
		"node_modules/jest/bin/jest.js",
		"--selectProjects",
		...projects.split(" "),
		...options,
	];
	const { status } = spawnSync(
		process.execPath,
		[...jest, "--passWithNoTests", "--json", "--outputFile", file, ...rest],
		{
			stdio: ["ignore", "ignore", "inherit"],
			env,
		},
	);
	try {
		const result = JSON.parse(readFileSync(file, "utf8"));
		total.passed += result.numPassedTests;
		total.skipped += result.numPendingTests;
		// A suite that does not even load has no failed tests of its own.
		total.failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
		if (status !== 0 && total.failed === 0) total.failed += 1;
	} catch {
		total.failed += 1;
	}
}
rmSync(results, { recursive: true });
console.log(`${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ""}`);
process.exitCode = total.failed > 0 ? 1 : 0;
