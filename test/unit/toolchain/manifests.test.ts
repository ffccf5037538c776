import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { catalogue, go } from "../../../scripts/toolchain/catalogue.ts";
import { inRange } from "../../../scripts/toolchain/probe.ts";

const root = join(__dirname, "../../..");
const text = (file: string) => readFileSync(join(root, file), "utf8");
const manifests = readdirSync(join(root, "tools"), { recursive: true, encoding: "utf8" });

test.each(manifests.filter((file) => file.endsWith("requirements.txt")))("%s pins exact versions by hash", (file) => {
	const lines = text(join("tools", file)).replaceAll("\\\n", " ").split("\n");
	const wanted = lines.filter((line) => line.trim() !== "" && !line.startsWith("#"));
	expect(wanted.length).toBeGreaterThan(0);
	for (const line of wanted) expect(line).toMatch(/^[a-z0-9-]+==[0-9.]+(\s+--hash=sha256:[0-9a-f]{64})+\s*$/);
});

test.each(manifests.filter((file) => file.endsWith("go.mod")))("%s is complete, and our Go can build it", (file) => {
	const needed = /^go (\S+)$/m.exec(text(join("tools", file)))![1]!;
	expect(inRange(needed, { from: "1.0", below: "1.25.12" })).toBe(true);
	expect(inRange(go.pin, { ...go.range, from: needed })).toBe(true);
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

test.each(catalogue.map((tool) => [tool.name, tool] as const))("%s: the pin is a version we accept", (_, tool) => {
	expect(inRange(tool.pin, tool.range)).toBe(true);
	expect(tool.sources.length).toBeGreaterThan(0);
});
