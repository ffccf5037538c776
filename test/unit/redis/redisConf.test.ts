import { redisArgumentsSchema } from "../../../runtime/redis/arguments.ts";
import { managerJson } from "../../../runtime/redis/managerConf.ts";
import { apiKeys, passwordText } from "../../../runtime/redis/managerSecrets.ts";
import { nodesJson } from "../../../runtime/redis/nodesFile.ts";
import { readSettings } from "../../../runtime/redis/readSettings.ts";
import { redisConf } from "../../../runtime/redis/redisConf.ts";

const declared = (settings: object = {}) => redisArgumentsSchema.parse(settings);
const address = { host: "127.0.0.1", port: 6380 };

test("redis.conf keeps everything in an append-only file, throws nothing away, and lets in who the ACL file names", () => {
	expect(redisConf(address, declared())).toBe(`# Written by Holdfast: changes by hand are lost.
bind 127.0.0.1
port 6380
protected-mode yes
aclfile "{{folder}}/live/users.acl"
dir "{{folder}}/data"
logfile "{{folder}}/log/redis.log"
loglevel notice
daemonize no
databases 1
tcp-keepalive 60
timeout 0
maxclients 1000
maxmemory 268435456
maxmemory-policy noeviction
appendonly yes
appendfsync everysec
no-appendfsync-on-rewrite no
aof-load-truncated yes
save ""
lazyfree-lazy-expire yes
lazyfree-lazy-user-del yes
proto-max-bulk-len 67108864
client-output-buffer-limit normal 512mb 128mb 60
`);
});

test("redis.conf follows the arguments", () => {
	const conf = redisConf(address, declared({ appendfsync: "always", memoryMB: 1024, valueBytes: 50_000_000 }));
	expect(conf).toContain("\nappendfsync always\n");
	expect(conf).toContain("\nmaxmemory 1073741824\n");
	expect(conf).toContain("\nproto-max-bulk-len 100000000\n");
});

test("a manager's settings name the files of its secrets, and hold none", () => {
	const text = managerJson("redis0", { host: "127.0.0.1", port: 3001 }, declared({ rateLimit: 50, onStale: "merge" }));
	const settings = JSON.parse(text);
	expect(settings).toMatchObject({
		...{ APP_NAME: "redis0", REDIS_NODES_FILE: "{{folder}}/live/nodes.json" },
		...{ API_KEY_FILE: "{{folder}}/live/api-key", REDIS_PASSWORD_FILE: "{{folder}}/live/redis-password" },
	});
	for (const secret of ["API_KEY", "REDIS_PASSWORD"]) expect(Object.keys(settings)).not.toContain(secret);
	expect(managerJson("redis0", { host: "127.0.0.1", port: 3001 }, declared())).not.toBe(text);
});

/** What the manager itself makes of its settings. */
const taken = (settings: object) => {
	const given = JSON.parse(managerJson("redis0", { host: "0.0.0.0", port: 3001 }, declared(settings)));
	return readSettings({}, given, () => "a-text-of-16-characters").values;
};

test("the manager takes its settings as they were declared, also at their extremes", () => {
	expect(taken({ timeoutMs: 700, maxSkewMs: 500, roundSeconds: 60, rateLimit: 90 })).toMatchObject({
		...{ HOST: "0.0.0.0", PORT: 3001, REDIS_USERNAME: "holdfast", MAX_VALUE_BYTES: 1_048_576, ON_STALE: "hold" },
		...{ WRITE_TIMEOUT_MS: 700, READ_TIMEOUT_MS: 700, MAX_SKEW_MS: 500, ROUND_SECONDS: 60, RATE_LIMIT_PER_SECOND: 90 },
		TOMBSTONE_GRACE_SECONDS: 864_000,
	});
	const most = { valueBytes: 67_108_864, timeoutMs: 10_000, maxSkewMs: 3_600_000, rateLimit: 1_000_000 };
	expect(taken({ ...most, roundSeconds: 604_800, tombstoneGraceSeconds: 31_536_000 }).MAX_VALUE_BYTES).toBe(67_108_864);
	const least = { valueBytes: 1, timeoutMs: 50, maxSkewMs: 100, roundSeconds: 10, tombstoneGraceSeconds: 3600 };
	expect(taken(least).MAX_VALUE_BYTES).toBe(1);
});

test("the files that running managers read", () => {
	expect(nodesJson([{ address }, { address: { host: "fd00::1", port: 1 } }])).toBe(
		'["127.0.0.1:6380","[fd00::1]:1"]\n',
	);
	expect(apiKeys({ apiKey: "new" })).toBe("new\n");
	expect(apiKeys({ apiKey: "new", previousApiKey: "old" })).toBe("new,old\n");
	expect(passwordText("secret")).toBe("secret\n");
});
