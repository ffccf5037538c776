import { randomBytes } from "node:crypto";
import { RedisScene } from "../support/redisScene.ts";

let scene: RedisScene;
beforeAll(async () => {
	scene = await RedisScene.create();
});
afterAll(() => RedisScene.removeAll());

const all256 = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
/** All bytes but those that are no valid text, so that every client can send it in a URL; 512 bytes. */
const longKey = Buffer.concat([all256, all256]);

describe.each([
	["every byte there is", Buffer.from("bytes"), all256],
	["a mebibyte", Buffer.from("mebibyte"), randomBytes(1_048_576)],
	["nothing", Buffer.from("empty"), Buffer.alloc(0)],
	["line breaks and a NUL", Buffer.from("breaks"), Buffer.from("\r\n\0\r\n$5\r\n")],
	["a key with a slash", Buffer.from("a/b//c/../d"), Buffer.from("value")],
	["a key in Unicode", Buffer.from("ключ 🔑 %2F é"), Buffer.from("value")],
	["a key of 512 bytes, with every byte", longKey, Buffer.from("value")],
	["a key of one NUL", Buffer.from([0]), Buffer.from("value")],
])("%s", (_, key, value) => {
	test("comes back as it was written, is on every node, and can be deleted", async () => {
		const { client } = scene.managers[0]!;
		expect(await client.put(key, value)).toMatchObject({ status: 200, body: { writtenTo: 3 } });
		const raw = await client.bytes(key);
		expect([raw.status, raw.body.equals(value), raw.headers["content-type"]]).toEqual([
			200,
			true,
			"application/octet-stream",
		]);
		const json = await client.get(key);
		expect(Buffer.from(json.body.valueBase64!, "base64").equals(value)).toBe(true);
		const held = await Promise.all(scene.servers.map((server) => server.records()));
		const name = Buffer.concat([Buffer.from("d:"), key]).toString("hex");
		for (const records of held) {
			const record = Buffer.from(records.find((one) => one.key === name)!.value, "hex");
			expect(record.subarray(53).equals(value)).toBe(true);
		}
		expect((await client.remove(key)).body.writtenTo).toBe(3);
		expect((await client.bytes(key)).status).toBe(404);
	});
});

test.each([
	["text", "grüße \u0000 \ud83d\ude00"],
	["an empty text", ""],
	["an object", { a: [1, null, { b: "c" }], __proto__x: true }],
	["null", null],
	["false", false],
	["a number", 0],
])("JSON: %s comes back as it was posted", async (name, value) => {
	const { client } = scene.managers[0]!;
	expect((await client.write(name, value)).status).toBe(200);
	expect((await client.get(name, "all")).body.value).toEqual(value);
});

test("a value of one byte too many and a key of 513 bytes are refused before any node hears of them", async () => {
	const { client } = scene.managers[0]!;
	const before = await scene.agreed();
	expect((await client.put("too large", Buffer.alloc(1_048_577))).status).toBe(413);
	expect((await client.put("k".repeat(513), Buffer.from("v"))).status).toBe(400);
	expect((await client.write("", "v")).status).toBe(400);
	expect(await scene.agreed()).toEqual(before);
});
