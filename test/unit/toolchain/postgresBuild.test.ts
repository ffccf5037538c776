import { join } from "node:path";
import { buildOf, hasTls, postgresBuild, toolPath } from "../../../runtime/tools.ts";
import { writeRecord } from "../../../scripts/toolchain/record.cjs";
import { program, scratch, script } from "./fixture.ts";

let folder: string;
const before = process.env.HOLDFAST_HOME;

beforeEach(() => {
	folder = scratch();
	process.env.HOLDFAST_HOME = folder;
});
afterAll(() => {
	if (before === undefined) delete process.env.HOLDFAST_HOME;
	else process.env.HOLDFAST_HOME = before;
});

/** Answers as a real one does, with a line about a missing file on standard error. */
function postgres(name: string, version: string, tls: boolean): string {
	const asked = `[ "$1 $2 $3 $5" = "-C ssl_library -D --config-file=/dev/null" ] && [ -d "$4" ]`;
	const body = `[ "$1" = --version ] && echo "postgres (PostgreSQL) ${version}" && exit
${asked} || exit 1
echo "LOG: skipping missing configuration file" >&2
echo "${tls ? "OpenSSL" : ""}"`;
	return script(join(folder, name, "bin/postgres"), body);
}

/** The first is the default. */
function record(...builds: [name: string, version: string, tls: boolean][]): void {
	const [first, ...others] = builds.map(([name, version, tls]) => ({
		path: postgres(name, version, tls),
		version,
		tls,
	}));
	writeRecord(folder, { lock: "x", tools: { postgres: { ...first!, source: "PATH", builds: others } } });
}

test("TLS is what the program says of its library", async () => {
	expect(await hasTls(postgres("with", "18.4", true))).toBe(true);
	expect(await hasTls(postgres("without", "18.4", false))).toBe(false);
	await expect(hasTls(script(join(folder, "broken"), "exit 1"))).rejects.toMatchObject({ code: "HF_TOOL" });
	await expect(hasTls("/absent/postgres")).rejects.toMatchObject({ code: "HF_TOOL" });
});

test("a build is described as it is now, not as it was recorded", async () => {
	record(["wheel", "18.4", false], ["debian", "16.13", false]);
	const path = postgres("debian", "16.14", true);
	expect(await buildOf("postgres", "16")).toEqual({ path, version: "16.14", tls: true });
	expect(await buildOf("postgres", path)).toEqual({ path, version: "16.14", tls: true });
	expect((await buildOf("postgres")).version).toBe("18.4");
});

test("a program without TLS of its own is described by path and version", async () => {
	const path = program(join(folder, "etcd"), "etcd Version: 3.6.16");
	writeRecord(folder, { lock: "x", tools: { etcd: { path, version: "3.6.16", source: "PATH", builds: [] } } });
	expect(await buildOf("etcd")).toEqual({ path, version: "3.6.16" });
});

test.each([
	["18", false, "wheel"],
	["18", true, "debian18"],
	["18.4", false, "wheel"],
	["16", false, "wheel16"],
	["17", true, "debian17"],
] as const)("PostgreSQL %s, TLS wanted: %s, is the one of %s", async (version, tls, name) => {
	record(
		["wheel", "18.4", false],
		["debian17", "17.10", true],
		["old18", "18.1", true],
		["debian18", "18.3", true],
		["wheel16", "16.14", false],
	);
	const build = await postgresBuild({ version, tls });
	expect(build.path).toBe(join(folder, name, "bin/postgres"));
	expect(build.tls).toBe(tls || name.startsWith("debian"));
});

test("the default is taken before a newer build of its version", async () => {
	record(["default", "18.3", true], ["newer", "18.4", true]);
	expect((await postgresBuild({ version: "18", tls: true })).version).toBe("18.3");
	expect(await toolPath("postgres", "18")).toBe(join(folder, "default/bin/postgres"));
});

test("no TLS where it is wanted says so, and what to install", async () => {
	record(["wheel", "18.4", false], ["debian", "15.18", true]);
	const refused = { code: "HF_TOOL", message: expect.stringContaining("PostgreSQL 18 here has no TLS") };
	const next = expect.stringMatching(/Debian's postgresql-18 or put one with TLS on PATH/);
	await expect(postgresBuild({ version: "18", tls: true })).rejects.toMatchObject({ ...refused, next });
	const path = join(folder, "wheel/bin/postgres");
	await expect(postgresBuild({ version: path, tls: true })).rejects.toThrow(`PostgreSQL ${path} here has no TLS`);
	expect(await postgresBuild({ version: path, tls: false })).toEqual({ path, version: "18.4", tls: false });
});

test("a version that is not there is another error than one without TLS", async () => {
	record(["wheel", "18.4", false]);
	await expect(postgresBuild({ version: "17", tls: true })).rejects.toThrow(/no postgres 17 is known .*18\.4/);
});
