import { LocalPlatform } from "../components/platform/local.ts";
import { RedisManager } from "../components/redis/redisManager.ts";
import { givenOr, type LocalContext } from "./localMongo.ts";
import type { RedisSettings } from "./redisSettings.ts";

/** The Redis nodes and managers of a local stack, and what the stack says of them. */
export function localRedis(redis: RedisSettings, { stack, protect, supervisor, secrets }: LocalContext) {
	const { address, dataRoot, managerAddress, apiKeyGeneration, nodeGeneration, ...args } = redis;
	const place = { stack, address, basePort: args.ports.node, ...(dataRoot === undefined ? {} : { dataRoot }) };
	const manager = new RedisManager(args.name, {
		...args,
		...{ stack, protect, platform: new LocalPlatform({ ...place, supervisor: supervisor! }) },
		...(managerAddress === undefined ? {} : { managerAddress }),
		apiKey: givenOr(secrets, "apiKey", apiKeyGeneration),
		nodePassword: givenOr(secrets, "nodePassword", nodeGeneration),
	});
	const { baseUrl, urls, apiKey, nodes, membership } = manager;
	return { manager: args.name, baseUrl, urls, apiKey, nodes, version: membership.serverVersion };
}
