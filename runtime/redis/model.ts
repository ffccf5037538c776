export { ACL_FILE, aclText } from "./aclFile.ts";
export {
	apiKeySchema,
	nodePasswordSchema,
	type RedisArguments,
	type RedisDeclared,
	redisArgumentsSchema,
} from "./arguments.ts";
export {
	type RedisClusterInputs,
	type RedisClusterOutputs,
	type RedisRetireInputs,
	type RedisRetireOutputs,
	redisClusterSchema,
	redisRetireSchema,
} from "./clusterArguments.ts";
export { API_KEY_FILE, MANAGER_FILE, managerJson, NODES_FILE, PASSWORD_FILE } from "./managerConf.ts";
export { nodesJson } from "./nodesFile.ts";
export { REDIS_FILE, redisConf } from "./redisConf.ts";
export { type RedisHosts, type RedisMember, type RedisTopology, redisTopology } from "./topology.ts";
export { managerUrl } from "./url.ts";
