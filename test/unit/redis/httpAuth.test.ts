import crypto from "node:crypto";
import { KeyRing } from "../../../runtime/redis/http/auth.ts";
import { API_KEY, testApp } from "../../support/redisApp.ts";

const ok = { url: "/nodes" };

test("a request needs a valid key, in our header or as a bearer token", async () => {
	const { ask } = await testApp();
	expect((await ask(ok)).status).toBe(200);
	expect((await ask({ ...ok, key: null, headers: { authorization: `Bearer ${API_KEY}` } })).status).toBe(200);
	for (const wrong of [null, "", "wrong", API_KEY.slice(1), `${API_KEY} `.padEnd(5000, "x")]) {
		const refused = await ask({ ...ok, key: wrong });
		expect([refused.status, refused.body.code]).toEqual([401, "UNAUTHORIZED"]);
		expect(refused.text).not.toContain(API_KEY);
	}
	expect((await ask({ ...ok, key: null, headers: { authorization: `Basic ${API_KEY}` } })).status).toBe(401);
});

test("every valid key is compared, whichever is shown, in constant time", () => {
	const compare = jest.spyOn(crypto, "timingSafeEqual");
	const keys = ["first-key", "second-key", "third-key"];
	const ring = new KeyRing(() => keys);
	for (const [shown, found] of [
		["first-key", 0],
		["third-key", 2],
		["none", -1],
		["", -1],
	] as const) {
		compare.mockClear();
		expect(ring.find(shown)).toBe(found);
		expect(compare).toHaveBeenCalledTimes(3);
	}
	compare.mockRestore();
});

test("keys rotate while it runs: both count for a time, then only the new one", async () => {
	let keys = ["old-key-1"];
	const { ask } = await testApp({ apiKeys: () => keys, failuresPerMinute: 0 });
	const status = async (key: string) => (await ask({ ...ok, key })).status;
	expect([await status("old-key-1"), await status("new-key-2")]).toEqual([200, 401]);
	keys = ["new-key-2", "old-key-1"];
	expect([await status("old-key-1"), await status("new-key-2")]).toEqual([200, 200]);
	keys = ["new-key-2"];
	expect([await status("old-key-1"), await status("new-key-2")]).toEqual([401, 200]);
	keys = [];
	expect([await status("old-key-1"), await status("new-key-2"), await status("")]).toEqual([401, 401, 401]);
});

test("an address that guesses is refused unheard; others, and health checks, are not", async () => {
	const { ask } = await testApp({ failuresPerMinute: 3 });
	const from = "192.0.2.7";
	for (let i = 0; i < 3; i++) expect((await ask({ ...ok, key: `guess-${i}`, from })).status).toBe(401);
	const refused = await ask({ ...ok, key: "guess-3", from });
	expect([refused.status, refused.body.code]).toEqual([429, "TOO_MANY_FAILURES"]);
	const wait = Number(refused.headers["retry-after"]);
	expect(wait).toBeGreaterThan(0);
	expect(wait).toBeLessThanOrEqual(60);
	expect((await ask({ ...ok, from })).status).toBe(429);
	expect((await ask({ ...ok, from: "192.0.2.8" })).status).toBe(200);
	expect((await ask({ url: "/health", key: null, from })).status).toBe(200);
	expect((await ask({ url: "/health", from })).status).toBe(429);
});

test("the refusal ends with its minute", async () => {
	const real = Date.now();
	const clock = jest.spyOn(Date, "now").mockReturnValue(real);
	const { ask } = await testApp({ failuresPerMinute: 1 });
	for (let i = 0; i < 2; i++) await ask({ ...ok, key: "wrong" });
	expect((await ask(ok)).status).toBe(429);
	clock.mockReturnValue(real + 59_000);
	expect((await ask(ok)).status).toBe(429);
	clock.mockReturnValue(real + 60_001);
	expect((await ask(ok)).status).toBe(200);
	clock.mockRestore();
});

test("a host that changes its IPv6 address within its network is the same guesser", async () => {
	const { ask } = await testApp({ failuresPerMinute: 2 });
	for (const from of ["2001:db8::1", "2001:db8::2"])
		expect((await ask({ ...ok, key: "wrong", from })).status).toBe(401);
	expect((await ask({ ...ok, key: "wrong", from: "2001:db8::3" })).status).toBe(429);
	expect((await ask({ ...ok, key: "wrong", from: "2001:db8:0:1::1" })).status).toBe(401);
});

test("X-Forwarded-For counts only from a trusted proxy", async () => {
	const guess = (forwarded: string) => ({ ...ok, key: "wrong", headers: { "x-forwarded-for": forwarded } });
	const naive = await testApp({ failuresPerMinute: 1 });
	for (const one of ["1.1.1.1", "2.2.2.2"]) await naive.ask(guess(one));
	expect((await naive.ask(guess("3.3.3.3"))).status).toBe(429);
	const behind = await testApp({ failuresPerMinute: 1, trustedProxies: ["127.0.0.1"] });
	for (const one of ["1.1.1.1", "2.2.2.2", "3.3.3.3"]) expect((await behind.ask(guess(one))).status).toBe(401);
	expect((await behind.ask(guess("3.3.3.3"))).status).toBe(429);
});

test("the rate limit is of each key, over all routes", async () => {
	const keys = ["key-one-1", "key-two-2"];
	const clock = jest.spyOn(Date, "now").mockReturnValue(Date.now());
	const { ask } = await testApp({ apiKeys: () => keys, requestsPerSecond: 3 });
	const one = (url: string) => ask({ url, key: "key-one-1" }).then(({ status }) => status);
	expect([await one("/nodes"), await one("/data/none"), await one("/health"), await one("/nodes")]).toEqual([
		200, 404, 200, 429,
	]);
	expect((await ask({ ...ok, key: "key-two-2" })).status).toBe(200);
	clock.mockReturnValue(Date.now() + 1001);
	expect(await one("/nodes")).toBe(200);
	clock.mockRestore();
});

test("bodies under way are bounded, and their space comes back", async () => {
	const { ask, store } = await testApp({ maxPendingBytes: 100_000 });
	const put = () => ask({ method: "PUT", url: "/data/k", payload: Buffer.alloc(60_000) });
	let go = () => {};
	store.pause = new Promise<void>((resolve) => {
		go = resolve;
	});
	const first = put();
	const second = await put();
	expect([second.status, second.body.code, second.headers["retry-after"]]).toEqual([503, "OVERLOADED", "1"]);
	expect((await Promise.race([ask({ ...ok }), first])).status).toBe(200);
	go();
	expect((await first).status).toBe(200);
	expect((await put()).status).toBe(200);
});
