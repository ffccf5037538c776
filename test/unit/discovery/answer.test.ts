import fc from "fast-check";
import { answerOf } from "../../../runtime/discovery/answer.ts";
import { discoverySourceSchema, nameOf, parseAddress } from "../../../runtime/discovery/source.ts";

const ports = { missing: 6379 };
const where = (i: number) => `entry ${i}`;
const names = (texts: string[], more = {}) => {
	const answer = answerOf(texts, { ...ports, ...more }, where);
	return answer.kind === "list" ? answer.addresses.map(nameOf) : answer;
};

test("addresses are sorted as numbers, then by port, IPv4 first", () => {
	expect(names(["10.0.0.10:1", "10.0.0.9:10", "10.0.0.9:9", "[::2]:5", "9.255.255.255:1", "[::10]:1"])).toEqual([
		...["9.255.255.255:1", "10.0.0.9:9", "10.0.0.9:10", "10.0.0.10:1", "[::2]:5", "[::10]:1"],
	]);
});

test("the order does not depend on the order of the answer", () => {
	const text = fc.oneof(
		fc.tuple(fc.ipV4(), fc.integer({ min: 1, max: 65535 })).map(([ip, port]) => `${ip}:${port}`),
		fc.tuple(fc.ipV6(), fc.integer({ min: 1, max: 65535 })).map(([ip, port]) => `[${ip}]:${port}`),
		fc.ipV4(),
	);
	fc.assert(
		fc.property(fc.array(text, { minLength: 1 }), (texts) => {
			expect(names([...texts].reverse())).toEqual(names(texts));
			expect(names([...texts, ...texts])).toEqual(names(texts));
		}),
	);
});

test("an address counts once, however it is written, and a missing port is filled in", () => {
	expect(names(["1.2.3.4", "1.2.3.4:6379"])).toEqual(["1.2.3.4:6379"]);
	expect(names(["::1", "[0:0:0:0:0:0:0:1]:6379", "[::0001]"])).toEqual(["[::1]:6379"]);
});

test("a port of our own takes the place of every port", () => {
	expect(names(["1.2.3.4:16127", "1.2.3.4:16137", "1.2.3.5"], { instead: 31309 })).toEqual([
		...["1.2.3.4:31309", "1.2.3.5:31309"],
	]);
});

test.each([
	"",
	"host:1",
	"1.2.3.4:0",
	"1.2.3.4:65536",
	"1.2.3.256:1",
	"[1.2.3.4]:1",
	"1.2.3.4:1:2",
	"[::1",
	"::1]:5",
	" 1.2.3.4",
])("%j spoils the answer, which says where and quotes nothing", (text) => {
	expect(parseAddress(text)).toBeUndefined();
	expect(names(["1.2.3.4:1", text])).toEqual({
		kind: "malformed",
		problem: "entry 1 is not an IP address with or without a port",
	});
});

test("no addresses are an answer of their own", () => {
	expect(answerOf([], ports, where)).toEqual({ kind: "empty" });
});

test("sources are checked where they are written down", () => {
	const problem = (source: object) => discoverySourceSchema.safeParse(source).error?.issues[0]?.path.join(".");
	expect(problem({ kind: "static", nodes: ["1.2.3.4:1"] })).toBeUndefined();
	expect(problem({ kind: "static", nodes: [] })).toBe("nodes");
	expect(problem({ kind: "static", nodes: ["1.2.3.4:1", "redis-1:6379"] })).toBe("nodes.1");
	expect(problem({ kind: "flux", app: "a", url: "ftp://x" })).toBe("url");
	expect(discoverySourceSchema.parse({ kind: "flux", app: "a" })).toMatchObject({ url: "https://api.runonflux.io" });
});
