import type { Kind } from "./kind.ts";

/** Every kind of managed object, loaded when first needed: a preview that touches users loads no supervisor. */
export const kinds = {
	"secret/Secret": async () => (await import("./secret/secret.ts")).secretKind,
	"platform/Host": async () => (await import("./platform/hostKind.ts")).hostKind,
	"platform/Member": async () => (await import("./platform/memberKind.ts")).memberKind,
	"mongo/Retire": async () => (await import("./mongo/retireKind.ts")).retireKind,
	"mongo/ReplicaSet": async () => (await import("./mongo/replicaSetKind.ts")).replicaSetKind,
	"mongo/User": async () => (await import("./mongo/userKind.ts")).userKind,
	"mongo/Role": async () => (await import("./mongo/roleKind.ts")).roleKind,
} satisfies Record<string, () => Promise<unknown>>;

export type KindName = keyof typeof kinds;

export async function loadKind(name: KindName): Promise<Kind<object, object>> {
	return (await kinds[name]()) as unknown as Kind<object, object>;
}
