// The load generator, in a process of its own: node test/bench/redisCannon.ts '<Shot as JSON>' prints a Hit as JSON.
import autocannon, { type Client, type Request } from "autocannon";
import type { Hit, Shot } from "./redisShot.ts";

const shot = JSON.parse(process.argv[2]!) as Shot;

/** Each connection has requests of its own, so that no two ask for the same at the same time. */
function requests(): Request[] {
	return Array.from({ length: 200 }, () => {
		const key = shot.prefix + Math.floor(Math.random() * shot.keys);
		return {
			method: shot.method,
			path: shot.path.replace("{key}", key),
			headers: shot.headers,
			...(shot.body === undefined ? {} : { body: shot.body.replace("{key}", key) }),
		};
	});
}

const result = await autocannon({
	url: shot.url,
	connections: shot.connections,
	duration: shot.seconds,
	setupClient: (client: Client) => client.setRequests(requests()),
});
const hit: Hit = {
	perSecond: result["2xx"] / result.duration,
	p50: result.latency.p50,
	p99: result.latency.p99,
	failed: result.non2xx + result.errors + result.timeouts,
};
console.log(JSON.stringify(hit));
