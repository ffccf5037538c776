import { readFileSync } from "node:fs";
import { join } from "node:path";
import { HoldfastError } from "../../../runtime/errors.ts";
import { keysOf, readSettings } from "../../../runtime/redis/readSettings.ts";
import { type Setting, settings } from "../../../runtime/redis/settings.ts";
import { rows } from "../../support/pages.ts";

const files: Record<string, string> = {
	"/key": "file-key-1,file-key-2\n",
	"/password": "from-a-file\n",
	"/port": "4000\n",
	"/empty": " \n",
};
const read = (path: string): string => {
	if (path in files) return files[path]!;
	throw Object.assign(new Error("secret path"), { code: "ENOENT" });
};
const least = { API_KEY: "api-key-1", REDIS_NODES: "10.0.0.1:6379,10.0.0.2" };
const from = (environment: Record<string, unknown>, config: Record<string, unknown> = {}) =>
	readSettings(environment, config, read);
const refusal = (environment: Record<string, unknown>, config?: Record<string, unknown>): HoldfastError => {
	try {
		from(environment, config);
	} catch (error) {
		expect(error).toBeInstanceOf(HoldfastError);
		expect((error as HoldfastError).code).toBe("HF_SETTING");
		return error as HoldfastError;
	}
	throw new Error("not refused");
};

test("the seed's environment is enough, and the rest has defaults", () => {
	const { values, apiKey, redisPassword } = from({
		APP_NAME: "myAwesomeApp",
		REDIS_PORT: "31309",
		API_KEY: "mySecretApiKey",
		REDIS_PASSWORD: "mySuperSecretPassword",
		PATH: "/usr/bin",
	});
	expect(values).toMatchObject({
		APP_NAME: "myAwesomeApp",
		REDIS_PORT: 31_309,
		PORT: 3000,
		HOST: "127.0.0.1",
		DISCOVERY_URL: "https://api.runonflux.io",
		ON_STALE: "hold",
		MAX_VALUE_BYTES: 1_048_576,
	});
	expect([apiKey, redisPassword]).toEqual([{ text: "mySecretApiKey" }, { text: "mySuperSecretPassword" }]);
	expect(JSON.stringify(values)).not.toContain("mySecretApiKey");
});

test("the file of --config knows the same names; the environment wins; an empty variable is none", () => {
	const config = { ...least, PORT: 4000, HOST: "0.0.0.0", ROUND_SECONDS: "60" };
	const { values } = from({ PORT: "5000", HOST: "" }, config);
	expect(values).toMatchObject({
		PORT: 5000,
		HOST: "0.0.0.0",
		ROUND_SECONDS: 60,
		REDIS_NODES: ["10.0.0.1:6379", "10.0.0.2"],
	});
});

test("limits that follow from others do so, unless they are given", () => {
	const of = (more: object) => from({ ...least, ...more }).values;
	expect(of({})).toMatchObject({ MAX_BATCH_BYTES: 2 ** 24, MAX_PENDING_BYTES: 2 ** 28, DRAIN_SECONDS: 10 });
	const large = { MAX_BATCH_BYTES: 2 ** 26, MAX_PENDING_BYTES: 2 ** 28, DRAIN_SECONDS: 31 };
	expect(of({ MAX_VALUE_BYTES: 2 ** 26, WRITE_TIMEOUT_MS: 30_000 })).toMatchObject(large);
	expect(of({ MAX_BATCH_BYTES: 2 ** 20 }).MAX_BATCH_BYTES).toBe(2 ** 20);
});

test("every setting may come from a file; secrets are then watched there", () => {
	const { values, apiKey, redisPassword } = from({
		REDIS_NODES: "10.0.0.1",
		API_KEY_FILE: "/key",
		REDIS_PASSWORD_FILE: "/password",
		PORT_FILE: "/port",
	});
	expect(values.PORT).toBe(4000);
	expect([apiKey, redisPassword]).toEqual([{ path: "/key" }, { path: "/password" }]);
	expect(from({ ...least, API_KEY: "", API_KEY_FILE: "/key" }, { API_KEY: "other-key" }).apiKey).toEqual({
		path: "/key",
	});
});

test.each<[string, Record<string, unknown>, Record<string, unknown>?]>([
	["API_KEY", { REDIS_NODES: "10.0.0.1" }],
	["API_KEY", { ...least, API_KEY: "short" }],
	["API_KEY", { ...least, API_KEY: " , " }],
	["API_KEY", { ...least, API_KEY: "a-good-key, and a spac\u00e9d one" }],
	["API_KEY_FILE", { ...least, API_KEY_FILE: "/key" }],
	["API_KEY_FILE", { REDIS_NODES: "10.0.0.1", API_KEY_FILE: "/nowhere" }],
	["API_KEY_FILE", { REDIS_NODES: "10.0.0.1", API_KEY_FILE: "/empty" }],
	["APP_NAME", { API_KEY: "api-key-1" }],
	["REDIS_NODES", { ...least, REDIS_NODES: "redis.example" }],
	["REDIS_NODES_FILE", { ...least, REDIS_NODES_FILE: "/nodes" }],
	["DISCOVERY_URL", { ...least, DISCOVERY_URL: "https://api.example" }],
	["DISCOVERY_URL", { APP_NAME: "a", API_KEY: "api-key-1", DISCOVERY_URL: "file:///etc" }],
	["REDIS_USERNAME", { ...least, REDIS_USERNAME: "holdfast" }],
	["PORT", { ...least, PORT: "70000" }],
	["PORT", { ...least, PORT: "http" }],
	["PORT", { ...least }, { PORT: true }],
	["PORT", { ...least }, { PORT: null }],
	["ON_STALE", { ...least, ON_STALE: "wipe" }],
	["ROUND_SECONDS", { ...least, ROUND_SECONDS: "600", TOMBSTONE_GRACE_SECONDS: "1000" }],
	["HEADERS_TIMEOUT_MS", { ...least, HEADERS_TIMEOUT_MS: "31000" }],
	["MAX_VALUE_BYTES", { ...least, MAX_VALUE_BYTES: "20000000", MAX_BATCH_BYTES: "10000000" }],
	["MAX_PENDING_BYTES", { ...least, MAX_PENDING_BYTES: "1048576", MAX_BATCH_BYTES: "1048576" }],
	["DRAIN_SECONDS", { ...least, DRAIN_SECONDS: "1", WRITE_TIMEOUT_MS: "2000" }],
	["TRUSTED_PROXIES", { ...least, TRUSTED_PROXIES: "10.0.0.1,proxy" }],
	["API_KEYS", least, { API_KEYS: "misspelt" }],
])("what cannot be is refused in a sentence that names %s and says what to do", (...[name, environment, config]) => {
	const { message, next } = refusal(environment, config);
	expect(message.startsWith("HF_SETTING: ")).toBe(true);
	expect(message).toContain(name);
	expect(next.length).toBeGreaterThan(5);
	for (const secret of ["api-key-1", "a-good-key", "short"]) expect(message).not.toContain(secret);
});

test("keys are parted by commas or lines, and are 1 to 16", () => {
	expect(keysOf("new-key-1, old-key-2\n")).toEqual(["new-key-1", "old-key-2"]);
	expect(() => keysOf(Array.from({ length: 17 }, (_, i) => `key-number-${i}`).join())).toThrow("16 is the most");
});

test("docs/redis-api.md lists every setting with its default and meaning, and no others", () => {
	const page = readFileSync(join(__dirname, "../../../docs/redis-api.md"), "utf8");
	const listed = rows(page, "Setting").map((cells) => cells.slice(0, 3));
	const wanted = Object.entries<Setting>(settings).map(([name, setting]) => [
		name,
		setting.default === undefined ? "" : `\`${setting.default}\``,
		`${setting.meaning}.`,
	]);
	expect(listed).toEqual(wanted);
});
