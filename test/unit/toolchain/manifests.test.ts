import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { compareVersions } from "../../../runtime/tools.ts";
import { catalogue, go } from "../../../scripts/toolchain/catalogue.ts";
import { inRange } from "../../../scripts/toolchain/probe.ts";

const root = join(__dirname, "../../..");
const text = (file: string) => readFileSync(join(root, file), "utf8");
const manifests = readdirSync(join(root, "tools"), { recursive: true, encoding: "utf8" });

test.each(manifests.filter((file) => file.endsWith("requirements.txt")))("%s pins exact versions by hash", (file) => {
	const lines = text(join("tools", file)).replaceAll("\\\n", " ").split("\n");
	const wanted = lines.filter((line) => line.trim() !== "" && !line.startsWith("#"));
	expect(wanted.length).toBeGreaterThan(0);
	const pinned = /^[a-z0-9-]+==[0-9.]+( ; python_version (<|==|>=) "3\.\d+")?(\s+--hash=sha256:[0-9a-f]{64})+\s*$/;
	for (const line of wanted) expect(line).toMatch(pinned);
});

test.each(manifests.filter((file) => file.endsWith("go.mod")))("%s is complete, and our Go can build it", (file) => {
	const needed = /^go (\S+)$/m.exec(text(join("tools", file)))![1]!;
	expect(compareVersions(needed, go.range.from)).toBeLessThanOrEqual(0);
	expect(inRange(go.pin, go.range)).toBe(true);
	const sums = text(join("tools", file, "../go.sum"));
	const tool = /^tool (\S+)$/m.exec(text(join("tools", file)))![1]!;
	expect(
		tool
			.split("/")
			.slice(0, 3)
			.every((part) => sums.includes(part)),
	).toBe(true);
});

test("the CLI is the release of the npm package", () => {
	const { dependencies } = JSON.parse(text("package.json"));
	const pulumi = catalogue.find(({ name }) => name === "pulumi")!;
	expect(pulumi.pin).toBe(dependencies["@pulumi/pulumi"]);
	expect(text("tools/pulumi/go.mod")).toContain(`github.com/pulumi/pulumi/pkg/v3 v${pulumi.pin}`);
	expect(text("tools/pulumi/go.mod")).toContain(`github.com/pulumi/pulumi/sdk/v3 v${pulumi.pin}`);
});

/** Packages of a requirements file that a Python gets, by name. */
function chosen(file: string, python: string): Map<string, string> {
	const found = new Map<string, string>();
	const pins = text(file).matchAll(/^([a-z0-9-]+)==(\S+)(?: ; python_version (\S+) "(\S+)")? /gm);
	for (const [, name, version, relation = "==", limit = python] of pins) {
		const order = compareVersions(python, limit);
		if (!{ "<": order < 0, "==": order === 0, ">=": order >= 0 }[relation]) continue;
		expect(found.has(name!)).toBe(false);
		found.set(name!, version!);
	}
	return found;
}

test.each(["3.9", "3.10", "3.11", "3.12", "3.13", "3.14"])("Patroni is whole for Python %s", (python) => {
	const packages = chosen("tools/patroni/requirements.txt", python);
	expect(packages.get("patroni")).toBe(catalogue.find(({ name }) => name === "patroni")!.pin);
	expect(packages.get("psycopg")).toBe(packages.get("psycopg-binary"));
	expect(packages.has("six")).toBe(python === "3.9" || python === "3.10");
	const always = ["click", "dnspython", "prettytable", "psutil", "python-dateutil", "python-etcd", "pyyaml", "tzdata"];
	expect([...packages.keys()]).toEqual(expect.arrayContaining([...always, "urllib3", "wcwidth", "ydiff"]));
});

test("what is built from source is in the manifest, and so is what builds it", () => {
	const packages = chosen("tools/patroni/requirements.txt", "3.12");
	expect([...packages.keys()]).toEqual(expect.arrayContaining(["python-etcd", "ydiff"]));
	expect([...chosen("tools/patroni/build/requirements.txt", "3.12").keys()]).toEqual(["setuptools"]);
});

test("etcd's module is the version that is pinned", () => {
	const { pin } = catalogue.find(({ name }) => name === "etcd")!;
	expect(text("tools/etcd/go.mod")).toContain(`go.etcd.io/etcd/server/v3 v${pin} `);
});

test("the builds that come with another are versions we accept", () => {
	const families = catalogue.filter(({ family }) => family !== undefined);
	expect(families.map(({ name }) => name)).toEqual(["postgres"]);
	for (const { pin, range, family } of families) {
		expect(inRange(pin, family!.default)).toBe(true);
		for (const { version } of family!.also) expect(inRange(version, range)).toBe(true);
	}
});

test.each(catalogue.map((tool) => [tool.name, tool] as const))("%s: the pin is a version we accept", (_, tool) => {
	expect(inRange(tool.pin, tool.range)).toBe(true);
	expect(tool.sources.length).toBeGreaterThan(0);
});
