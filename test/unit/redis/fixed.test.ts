import { redisClusterSchema } from "../../../runtime/redis/clusterArguments.ts";
import { checkAddresses } from "../../../runtime/redis/fixed.ts";

const node = (slot: number, port = 6379 + slot) => ({ name: `r-${slot}`, address: { host: "127.0.0.1", port } });

test("a node never moves; others may come and go", () => {
	const manager = (host: string, port: number) => ({ name: "r-manager-0", address: { host, port } });
	const managers = [manager("127.0.0.1", 3000)];
	const record = { nodes: [node(0), node(1)], managers };
	expect(() => checkAddresses({ nodes: [node(0), node(2)], managers }, record)).not.toThrow();
	expect(() => checkAddresses({ nodes: [node(0), node(1, 7000)], managers }, record)).toThrow(
		/^HF_SETTING: r-1 is at 127\.0\.0\.1:6380, not at 127\.0\.0\.1:7000: that cannot change.*ports\.node/,
	);
	const { nodes } = record;
	expect(() => checkAddresses({ nodes, managers: [manager("0.0.0.0", 3000)] }, record)).not.toThrow();
	expect(() => checkAddresses({ nodes, managers: [manager("127.0.0.1", 3001)] }, record)).toThrow(
		/^HF_SETTING: r-manager-0 is at port 3000, not at port 3001: that cannot change.*ports\.manager/,
	);
});

const inputs = {
	access: { stack: "s", cluster: "r" },
	host: { kind: "local", stack: "s" },
	...{ nodes: [node(0)], managers: [{ name: "r-manager-0", address: { host: "127.0.0.1", port: 3000 } }] },
	...{ appendfsync: "everysec", configuration: "hash", apiKey: "a".repeat(16) },
	...{ nodePassword: "n".repeat(16), adminPassword: "d".repeat(16) },
};

test.each([
	["apiKey", "tooshort"],
	["apiKey", "sixteen,with,commas"],
	["apiKey", "sixteen with space"],
	["nodePassword", "tooshort"],
	["appendfsync", "sometimes"],
	["nodes", []],
	["nodes", [node(0), node(0)]],
])("%s: %j is refused, without its value in the message", (name, value) => {
	expect(redisClusterSchema.safeParse(inputs).success).toBe(true);
	const result = redisClusterSchema.safeParse({ ...inputs, [name]: value });
	expect(result.error?.issues[0]?.path[0]).toBe(name);
	if (typeof value === "string" && name !== "appendfsync")
		expect(result.error?.issues.map(({ message }) => message).join()).not.toContain(value);
});
