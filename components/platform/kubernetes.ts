import type * as pulumi from "@pulumi/pulumi";
import type { Address, HostReference } from "../../runtime/platform/model.ts";
import type { GroupOptions, MemberSpec, Platform } from "./platform.ts";

export interface KubernetesPlatformArgs {
	namespace: pulumi.Input<string>;
	/** Image of each program. */
	images: Record<MemberSpec["processes"][number]["program"], pulumi.Input<string>>;
	/** Storage of one member, e.g. `10Gi`. */
	storage: string;
	/** @default the cluster's default class */
	storageClass?: string;
	port: number;
}

/**
 * One StatefulSet a group (`updateStrategy: OnDelete`, `podManagementPolicy: Parallel`), a headless Service that
 * gives `<member>.<cluster>.<namespace>.svc`, a Secret with files and birth files, a PodDisruptionBudget. Type only:
 * it stands here to keep `Platform` honest. Slots are ordinals, so scaling down keeps the lowest; `Host` deletes
 * one pod at a time.
 */
export declare class KubernetesPlatform implements Platform {
	readonly host: HostReference;
	constructor(name: string, args: KubernetesPlatformArgs, opts?: pulumi.ComponentResourceOptions);
	addresses(cluster: string, slots: readonly number[]): Address[];
	group(cluster: string, members: readonly MemberSpec[], opts: GroupOptions): pulumi.Resource[];
}
