import type * as pulumi from "@pulumi/pulumi";
import type { Address, HostReference } from "../../runtime/platform/model.ts";
import type { GroupOptions, MemberSpec, Platform } from "./platform.ts";

export interface DockerPlatformArgs {
	/** Network the members join; their container names resolve on it. */
	network: pulumi.Input<string>;
	/** Image of each program. */
	images: Record<MemberSpec["processes"][number]["program"], pulumi.Input<string>>;
	/** Port inside the network: members differ by container name. */
	port: number;
}

/**
 * Containers of @pulumi/docker: one container a process, one volume a member, files as read-only mounts. Type only:
 * it stands here to keep `Platform` honest. A change must be staged as a label and a new file, since the provider
 * replaces containers all at once; `Host` restarts them one by one over the engine's API.
 */
export declare class DockerPlatform implements Platform {
	readonly host: HostReference;
	constructor(name: string, args: DockerPlatformArgs, opts?: pulumi.ComponentResourceOptions);
	addresses(cluster: string, slots: readonly number[]): Address[];
	group(cluster: string, members: readonly MemberSpec[], opts: GroupOptions): pulumi.Resource[];
}
