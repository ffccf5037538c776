import { parse } from "yaml";
import { ETCD_EVIDENCE, etcdTimings, etcdURL, etcdYml, joinYml } from "../../../runtime/etcd/config.ts";
import { birthOf, decimalId, hexId, newToken } from "../../../runtime/etcd/identity.ts";
import { rotation } from "../../../runtime/platform/contract.ts";

const client = { host: "127.0.1.1", port: 2379 };
const peer = { host: "127.0.1.1", port: 2380 };
const text = etcdYml({ name: "pg-0", client, peer });

test("a plain start cannot begin a cluster, and keeps to the folder", () => {
	expect(parse(text)).toMatchObject({
		name: "pg-0",
		"data-dir": "{{folder}}/data/etcd",
		"listen-client-urls": "http://127.0.1.1:2379",
		"advertise-client-urls": "http://127.0.1.1:2379",
		"listen-peer-urls": "http://127.0.1.1:2380",
		"initial-advertise-peer-urls": "http://127.0.1.1:2380",
		"initial-cluster-state": "existing",
		"strict-reconfig-check": true,
		"quota-backend-bytes": 268_435_456,
		"auto-compaction-mode": "periodic",
		"auto-compaction-retention": "1h",
		"heartbeat-interval": 100,
		"election-timeout": 1000,
	});
	expect(text).not.toContain("initial-cluster:");
	expect(ETCD_EVIDENCE).toBe("data/etcd/member/wal");
});

test("etcd rotates its log before the platform would", () => {
	const { maxsize, maxbackups } = JSON.parse(parse(text)["log-rotation-config-json"]);
	expect(maxsize * 1024 * 1024).toBeLessThan(rotation.bytes);
	expect(maxbackups).toBeGreaterThan(0);
	expect(parse(text)).toMatchObject({ "log-outputs": ["{{folder}}/log/etcd.log"], "enable-log-rotation": true });
});

test("timing, quota, listening elsewhere than is told, IPv6", () => {
	const host = "2001:db8::1";
	const at = { client: { host, port: 1 }, peer: { host: "pg.example", port: 2 } };
	const other = parse(etcdYml({ name: "b", ...at, listenHost: "0.0.0.0", timing: etcdTimings.wan, quotaBytes: 7 }));
	expect(other).toMatchObject({
		"listen-client-urls": "http://0.0.0.0:1",
		"advertise-client-urls": "http://[2001:db8::1]:1",
		"initial-advertise-peer-urls": "http://pg.example:2",
		"heartbeat-interval": 300,
		"election-timeout": 3000,
		"quota-backend-bytes": 7,
	});
});

test("with TLS everybody proves who he is", () => {
	const secured = parse(etcdYml({ name: "pg-0", client, peer, tls: true }));
	const file = (name: string) => `{{folder}}/live/tls/${name}`;
	expect(secured).toMatchObject({
		"advertise-client-urls": "https://127.0.1.1:2379",
		"initial-advertise-peer-urls": "https://127.0.1.1:2380",
		"client-transport-security": {
			"cert-file": file("etcd.crt"),
			"client-cert-auth": true,
			"trusted-ca-file": "{{folder}}/conf/etcd/ca.pem",
		},
		"peer-transport-security": { "cert-file": file("peer.crt"), "client-cert-auth": true },
	});
	expect(etcdURL(client, true)).toBe("https://127.0.1.1:2379");
});

test("the first start differs in the three settings that count then", () => {
	const first = { initialCluster: "pg-0=http://127.0.1.1:2380,b=http://b:1", state: "new", token: "pg-0011" } as const;
	const joined = parse(joinYml(text, first));
	expect(joined).toEqual({
		...parse(text),
		"initial-cluster": first.initialCluster,
		"initial-cluster-state": "new",
		"initial-cluster-token": "pg-0011",
	});
});

test("a cluster's ids are foretold as etcd 3.6 makes them", () => {
	expect(birthOf("http://127.0.1.1:23800", "pg-abc")).toEqual({
		...{ token: "pg-abc", clusterId: "1b2a170a2d62e4e3", memberId: "28583fcd27df8cf3" },
	});
	expect(birthOf("http://127.0.1.1:23800", newToken("pg")).clusterId).not.toBe(
		birthOf("http://127.0.1.1:23800", newToken("pg")).clusterId,
	);
	expect([hexId("1957402320524469475"), hexId("0"), hexId(undefined)]).toEqual(["1b2a170a2d62e4e3", "", ""]);
	expect(decimalId("1b2a170a2d62e4e3")).toBe("1957402320524469475");
	// Beyond what a number holds exactly.
	expect(hexId("18446744073709551615")).toBe("ffffffffffffffff");
});
