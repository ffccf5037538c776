import type { Kind, Rules } from "./kind.ts";

const mongo = () => import("./mongo/model.ts");
const postgres = () => import("./postgres/model.ts");
const redis = () => import("./redis/model.ts");
const migrate = () => import("./migrate/model.ts");
const platform = () => import("./platform/model.ts");

/**
 * Every kind of managed object in two parts, each loaded when first needed: `rules` for check and diff, which every
 * `up` asks of every object, and `load` for what acts and needs drivers.
 */
export const kinds = {
	"secret/Secret": {
		rules: async () => ({ schema: (await import("./secret/model.ts")).secretSchema, replaces: [] }),
		load: async () => (await import("./secret/secret.ts")).secretKind,
	},
	"tls/Identity": {
		rules: async () => ({
			schema: (await import("./tls/model.ts")).identitySchema,
			replaces: ["cluster", "member"],
		}),
		load: async () => (await import("./tls/identityKind.ts")).identityKind,
	},
	"platform/Host": {
		rules: async () => ({ schema: (await platform()).hostSchema, replaces: ["stack"] }),
		load: async () => (await import("./platform/hostKind.ts")).hostKind,
	},
	"platform/Member": {
		rules: async () => ({ schema: (await platform()).memberSchema, replaces: [] }),
		load: async () => (await import("./platform/memberKind.ts")).memberKind,
	},
	"mongo/Retire": {
		rules: async () => ({ schema: (await mongo()).retireSchema, replaces: [] }),
		load: async () => (await import("./mongo/retireKind.ts")).retireKind,
	},
	"mongo/ReplicaSet": {
		rules: async () => ({ schema: (await mongo()).replicaSetSchema, replaces: [] }),
		load: async () => (await import("./mongo/replicaSetKind.ts")).replicaSetKind,
	},
	"mongo/User": {
		rules: async () => ({ schema: (await mongo()).userSchema, replaces: ["access", "database", "user"] }),
		load: async () => (await import("./mongo/userKind.ts")).userKind,
	},
	"mongo/Role": {
		rules: async () => ({ schema: (await mongo()).roleSchema, replaces: ["access", "database", "role"] }),
		load: async () => (await import("./mongo/roleKind.ts")).roleKind,
	},
	"postgres/Retire": {
		rules: async () => ({ schema: (await postgres()).postgresRetireSchema, replaces: [] }),
		load: async () => (await import("./postgres/retireKind.ts")).retireKind,
	},
	"postgres/Cluster": {
		rules: async () => ({ schema: (await postgres()).postgresClusterSchema, replaces: [] }),
		load: async () => (await import("./postgres/clusterKind.ts")).clusterKind,
	},
	"postgres/Role": {
		rules: async () => ({ schema: (await postgres()).roleSchema, replaces: ["access", "role"] }),
		load: async () => (await import("./postgres/roleKind.ts")).roleKind,
	},
	"postgres/Database": {
		rules: async () => ({ schema: (await postgres()).databaseSchema, replaces: ["access", "database"] }),
		load: async () => (await import("./postgres/databaseKind.ts")).databaseKind,
	},
	"redis/Retire": {
		rules: async () => ({ schema: (await redis()).redisRetireSchema, replaces: [] }),
		load: async () => (await import("./redis/retireKind.ts")).retireKind,
	},
	"redis/Cluster": {
		rules: async () => ({ schema: (await redis()).redisClusterSchema, replaces: [] }),
		load: async () => (await import("./redis/clusterKind.ts")).clusterKind,
	},
	"migrate/IdMap": {
		rules: async () => ({ schema: (await migrate()).idMapSchema, replaces: ["name"] }),
		load: async () => (await import("./migrate/idMapKind.ts")).idMapKind,
	},
	"migrate/Migration": {
		rules: async () => ({ schema: (await migrate()).managedMigrationSchema, replaces: ["name"] }),
		load: async () => (await import("./migrate/migrationKind.ts")).migrationKind,
	},
} satisfies Record<string, { rules: () => Promise<Rules>; load: () => Promise<unknown> }>;

export type KindName = keyof typeof kinds;

export const loadRules = (name: KindName): Promise<Rules> => kinds[name].rules();

export async function loadKind(name: KindName): Promise<Kind<object, object>> {
	return (await kinds[name].load()) as unknown as Kind<object, object>;
}
