import type * as pulumi from "@pulumi/pulumi";
import type { Address, HostReference, ProcessSpec } from "../../runtime/platform/model.ts";

/** One member of a group: plain facts, but for the texts of its files. */
export interface MemberSpec {
	slot: number;
	/** `<cluster>-<slot>` */
	name: string;
	address: Address;
	processes: ProcessSpec[];
	/** Configuration, path in the member's folder -> text. A change is staged, never applied by the platform. */
	files: Record<string, pulumi.Input<string>>;
	/** Secrets a new member starts with; rotated by the domain afterwards. */
	birthFiles: Record<string, pulumi.Input<string>>;
	/** Take over what is there. */
	adopt: boolean;
}

/**
 * Where members run. A platform starts and stops members and never restarts one: Pulumi would restart all of them
 * at once. What restarts them is the domain's rollout, through the runtime's `Host` that `host` refers to.
 */
export interface Platform {
	/** Resolved by the runtime when a verb runs. */
	readonly host: HostReference;
	/** Addresses by slot: plain values, known before anything runs, stable for ever. */
	addresses(cluster: string, slots: readonly number[]): Address[];
	/** Runs the members; those that are gone from `members` stop only after `after` is done. */
	group(cluster: string, members: readonly MemberSpec[], opts: GroupOptions): pulumi.Resource[];
}

export interface GroupOptions {
	parent: pulumi.Resource;
	/** What members wait for: first of all, what takes those that go away out of their cluster. */
	after: readonly pulumi.Resource[];
}

/**
 * The order that every domain keeps: members leave the cluster, then processes stop and start, then members join.
 * On destroy Pulumi walks it backwards.
 */
export function triple<R extends pulumi.Resource, M extends pulumi.Resource>(
	platform: Platform,
	cluster: string,
	members: readonly MemberSpec[],
	parent: pulumi.Resource,
	make: { retire: (opts: pulumi.CustomResourceOptions) => R; membership: (opts: pulumi.CustomResourceOptions) => M },
): { retire: R; group: pulumi.Resource[]; membership: M } {
	const retire = make.retire({ parent });
	const group = platform.group(cluster, members, { parent, after: [retire] });
	const membership = make.membership({ parent, dependsOn: [retire, ...group] });
	return { retire, group, membership };
}
