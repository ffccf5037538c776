import { parse } from "yaml";
import { keyfileText, mongodConf, parseKeyfile } from "../../../runtime/mongo/config.ts";

const given = { replicaSet: "rs0", address: { host: "127.0.0.2", port: 27117 }, cacheSizeGB: 0.5 };
const read = (changes = {}) => parse(mongodConf({ ...given, ...changes }));

test("what mongod reads", () => {
	expect(read({ shutdownTimeoutMillis: 1000 })).toEqual({
		net: {
			bindIp: "127.0.0.2",
			port: 27117,
			unixDomainSocket: { enabled: false },
			compression: { compressors: "snappy,zstd" },
		},
		storage: { dbPath: "{{folder}}/data", wiredTiger: { engineConfig: { cacheSizeGB: 0.5 } } },
		replication: { replSetName: "rs0" },
		security: { keyFile: "{{folder}}/conf/keyfile", authorization: "enabled" },
		systemLog: { destination: "file", path: "{{folder}}/log/mongod.log", logAppend: true, logRotate: "reopen" },
		processManagement: { fork: false },
		setParameter: {
			enableLocalhostAuthBypass: false,
			authenticationMechanisms: "SCRAM-SHA-256",
			shutdownTimeoutMillisForSignaledShutdown: 1000,
		},
	});
});

test("the server's own shutdown time-out is left alone, IPv6 is switched on where needed", () => {
	expect(read().setParameter).not.toHaveProperty("shutdownTimeoutMillisForSignaledShutdown");
	expect(read().net).not.toHaveProperty("ipv6");
	expect(read({ address: { host: "fd00::1", port: 1 } }).net).toMatchObject({ bindIp: "fd00::1", ipv6: true });
});

test("the oplog's size is nowhere: changing it must not ask for a restart", () => {
	expect(mongodConf(given)).not.toContain("oplogSizeMB");
});

test.each([
	"allow",
	"prefer",
	"require",
] as const)("TLS in mode %s: certificates for members, passwords for clients", (tls) => {
	expect(read().net).not.toHaveProperty("tls");
	expect(read({ tls }).net.tls).toEqual({
		mode: `${tls}TLS`,
		certificateKeyFile: "{{folder}}/conf/tls/mongod.pem",
		CAFile: "{{folder}}/conf/tls/ca.pem",
		allowConnectionsWithoutCertificates: true,
		disabledProtocols: "TLS1_0,TLS1_1",
	});
	expect(read({ tls }).security).toEqual(read().security);
});

test("an arbiter's file does not change with the cache size", () => {
	const arbiter = (cacheSizeGB: number) => mongodConf({ ...given, cacheSizeGB, arbiter: true });
	expect(arbiter(4)).toBe(arbiter(0.25));
	expect(mongodConf({ ...given, cacheSizeGB: 4 })).not.toBe(mongodConf(given));
});

test("key files hold one key, or two in their order", () => {
	const [one, two] = ["QUJD+/==", "a".repeat(1024)];
	expect(keyfileText([one])).toBe("QUJD+/==\n");
	expect(keyfileText([one, two])).toBe(`- QUJD+/==\n- ${two}\n`);
	for (const keys of [[one], [one, two], ["123456"], ["123456", "1e5555"]])
		expect(parseKeyfile(keyfileText(keys))).toEqual(keys);
	expect(parseKeyfile("QUJ\nD+/ ==\n\n")).toEqual([one]);
	expect(parseKeyfile(" - 'QUJD+/=='\n - 123456\n")).toEqual([one, "123456"]);
	expect(parseKeyfile("")).toEqual([]);
});

test("refuses what mongod would refuse, without repeating the key", () => {
	for (const keys of [
		[],
		["abcde"],
		["x".repeat(1025)],
		["with space"],
		["secret$key"],
		["123456", "234567", "345678"],
	]) {
		expect(() => keyfileText(keys)).toThrow("HF_SETTING: keyfile holds one or two keys");
		expect(() => keyfileText(keys)).not.toThrow(/secret|with space/);
	}
});
