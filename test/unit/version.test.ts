import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { VERSION } from "../../runtime/version.ts";

test("what is recorded as the version is that of the package", () => {
	const { version } = JSON.parse(readFileSync(join(resolve(__dirname, "../.."), "package.json"), "utf8"));
	expect(VERSION).toBe(version);
});
