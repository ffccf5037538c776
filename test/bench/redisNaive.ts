// The baseline: what a person would write from the seed's description in an hour. Express, one client a node, SET or GET
// on all of them, the newest millisecond wins. No quorum, no compare-and-set, no timeouts, no repair.
// node test/bench/redisNaive.ts PORT API_KEY ip:port,ip:port
import { createClient } from "@redis/client";
import express from "express";

const [port = "", apiKey = "", nodes = ""] = process.argv.slice(2);
const clients = await Promise.all(
	nodes.split(",").map(async (name) => ({ name, client: await createClient({ url: `redis://${name}` }).connect() })),
);

const app = express();
app.use((request, response, next) => {
	if (request.headers["x-api-key"] === apiKey) next();
	else response.status(401).json({ error: "Unauthorized" });
});
app.use(express.json());

app.post("/data", async (request, response) => {
	const { key, value } = request.body;
	const record = JSON.stringify({ value, timestamp: Date.now() });
	const results = await Promise.all(
		clients.map(async ({ name, client }) => {
			try {
				await client.set(key, record);
				return { nodeIp: name, success: true };
			} catch {
				return { nodeIp: name, success: false };
			}
		}),
	);
	const writtenTo = results.filter(({ success }) => success).length;
	response.json({ success: writtenTo > 0, writtenTo, totalNodes: clients.length, results });
});

app.get("/data/:key", async (request, response) => {
	const found = await Promise.all(clients.map(({ client }) => client.get(request.params.key).catch(() => null)));
	const records = found.filter((text) => text !== null).map((text) => JSON.parse(text));
	if (records.length === 0) response.status(404).json({ error: "Key not found" });
	else response.json(records.reduce((newest, one) => (one.timestamp > newest.timestamp ? one : newest)));
});

app.listen(Number(port), "127.0.0.1", () => console.log("listening"));
