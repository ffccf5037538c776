import type { Kind, Rules } from "./kind.ts";

const mongo = () => import("./mongo/model.ts");
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
} satisfies Record<string, { rules: () => Promise<Rules>; load: () => Promise<unknown> }>;

export type KindName = keyof typeof kinds;

export const loadRules = (name: KindName): Promise<Rules> => kinds[name].rules();

export async function loadKind(name: KindName): Promise<Kind<object, object>> {
	return (await kinds[name].load()) as unknown as Kind<object, object>;
}
