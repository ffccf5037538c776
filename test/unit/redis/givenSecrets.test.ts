import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Deadline } from "../../../runtime/deadline.ts";
import type { RedisClusterInputs } from "../../../runtime/redis/clusterArguments.ts";
import { giveSecrets } from "../../../runtime/redis/managerSecrets.ts";
import type { Work } from "../../../runtime/redis/work.ts";

/** A manager that answers with these statuses in turn, the last one for ever. */
async function answering(statuses: number[]) {
	const asked: number[] = [];
	const server = createServer((_request, response) => {
		const status = statuses.length > 1 ? statuses.shift()! : statuses[0]!;
		asked.push(status);
		response
			.writeHead(status, { "content-type": "application/json" })
			.end(JSON.stringify(status === 200 ? { nodes: [] } : { error: "no" }));
	}).listen(0, "127.0.0.1");
	await once(server, "listening");
	const address = { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
	return { asked, manager: { name: "m-0", address }, close: () => server.close() };
}

test("a manager that does not even listen to the new key has not taken it", async () => {
	const { asked, manager, close } = await answering([401, 429, 429, 200]);
	const work = {
		access: { stack: "given-secrets", cluster: "r" },
		record: { apiKey: "new key", changingUsers: true },
		host: { read: async (_member: string, file: string) => (file.includes("password") ? "p\n" : "new key\n") },
		deadline: new Deadline("test", 20_000),
	} as unknown as Work;
	work.host.write = async () => undefined as never;
	try {
		await giveSecrets(work, { managers: [manager], nodePassword: "p" } as unknown as RedisClusterInputs);
		expect(asked).toEqual([401, 429, 429, 200]);
	} finally {
		close();
	}
});
