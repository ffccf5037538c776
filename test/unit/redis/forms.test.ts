import { execFileSync } from "node:child_process";
import { redisForms } from "../../../scripts/systems/redis.ts";

const apiKey = 'it\'s $HOME `id` "a" \\ key';
const outputs = {
	...{ manager: "redis0", baseUrl: "http://127.0.0.1:3000", apiKey, version: "7.0.15" },
	...{ urls: ["http://127.0.0.1:3000", "http://127.0.0.1:3001"], nodes: ["127.0.0.1:6379"] },
};

test("a shell takes the variables as they are, whatever the key has in it", () => {
	const { env } = redisForms(outputs, true);
	const print = `${env}\nprintf '%s %s' "$REDIS_MANAGER_URL" "$REDIS_MANAGER_KEY"`;
	expect(execFileSync("sh", ["-c", print], { encoding: "utf8" })).toBe(`http://127.0.0.1:3000 ${apiKey}`);
});

test("curl gets the key on its standard input", () => {
	const { curl } = redisForms(outputs, true);
	const [before, after] = curl.split(" | ");
	expect(execFileSync("sh", ["-c", before!], { encoding: "utf8" })).toBe(`x-api-key: ${apiKey}\n`);
	expect(after).toBe("curl -s -H @- http://127.0.0.1:3000/health");
});

test("the key is hidden in every form unless it is asked for", () => {
	const shown = redisForms(outputs, false);
	for (const text of Object.values(shown)) expect(text).not.toContain("HOME");
	expect(shown.key).toBe("****");
	expect(shown.urls).toBe("http://127.0.0.1:3000\nhttp://127.0.0.1:3001");
});
