import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root, runNode } from "../support/node.ts";

const golden = readFileSync(join(root, "test/golden/forwarder.txt"), "utf8");

test("the code that state keeps is the golden text, but for the kind's name, and small", async () => {
	const texts: Record<string, string> = JSON.parse(await runNode("test/support/forwarders.ts"));
	expect(Object.keys(texts)).toContain("mongo/ReplicaSet");
	for (const [kind, text] of Object.entries(texts)) {
		expect(text.replaceAll(`"${kind}"`, '"<kind>"')).toBe(golden);
		expect(Buffer.byteLength(text)).toBeLessThan(2100);
		expect(text).not.toMatch(/\/(root|home|work)\//);
	}
});
