export { ETCD_CA_FILE, ETCD_FILE, etcdTimings, etcdYml } from "../etcd/config.ts";
export {
	adoptSchema,
	type PatroniArguments,
	patroniArgumentsSchema,
	restPasswordSchema,
	systemPasswordSchema,
} from "./arguments.ts";
export {
	type PostgresClusterInputs,
	type PostgresClusterOutputs,
	type PostgresRetireInputs,
	type PostgresRetireOutputs,
	postgresClusterSchema,
	postgresRetireSchema,
} from "./clusterArguments.ts";
export { type Durability, standbysNeeded, synchronousSettings } from "./durability.ts";
export { dynamicConfig, type JsonObject } from "./dynamic.ts";
export { guardScript } from "./guard.ts";
export {
	type DatabaseInputs,
	type DatabaseOutputs,
	databaseSchema,
	type Grant,
	type RoleInputs,
	type RoleOutputs,
	roleSchema,
} from "./objectArguments.ts";
export { PATRONI_FILE, PATRONI_USER, type PatroniYml, patroniYml } from "./patroniYml.ts";
export { type PatroniSecrets, SECRETS_FILE, secretsYml } from "./secretsYml.ts";
export { type PatroniSettings, patroniSettings } from "./settings.ts";
export { ETCD_SLOTS, GUARD_FILE, type PatroniMember, type PatroniTopology, patroniTopology } from "./topology.ts";
export { jdbcUrl, pgpassLines, postgresUri, type UriMode, type UriParts, type UriTls } from "./uri.ts";
