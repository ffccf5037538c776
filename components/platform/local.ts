import type * as pulumi from "@pulumi/pulumi";
import type { HostInputs, HostOutputs, MemberInputs, MemberOutputs } from "../../runtime/platform/model.ts";
import { Managed, provider, type Wrapped } from "../dynamic.ts";
import type { GroupOptions, MemberSpec, Platform } from "./platform.ts";

export interface LocalPlatformArgs {
	/** The supervisord that runs the members: one a stack, whatever it runs. */
	supervisor: LocalHost;
	/** Name of the stack: its folder under `.holdfast/`. */
	stack: string;
	/** Address all members bind to; with `aliases` that of slot 0. @default "127.0.0.1" */
	address?: string;
	/** Give each slot the next loopback address (127.0.1.1, 127.0.1.2, …): for programs that refuse 127.0.0.1. @default false */
	aliases?: boolean;
	/** Port of slot 0; slot N listens on base + N, for ever. */
	basePort: number;
	/** Folder that holds the members' folders. @default `.holdfast/<stack>/members` */
	dataRoot?: string;
}

const hostShim = provider("platform/Host");
const memberShim = provider("platform/Member");

/** The supervisord of a stack on this machine. */
export class LocalHost extends Managed<HostOutputs> {
	declare readonly hostId: pulumi.Output<string>;

	constructor(name: string, args: Wrapped<HostInputs>, opts?: pulumi.CustomResourceOptions) {
		super(hostShim, "platform/Host", { hostId: "plain" }, name, args, opts);
	}
}

/** The processes and the folder of one member on this machine. Never replaced: its folder is data. */
export class LocalMember extends Managed<MemberOutputs> {
	declare readonly staged: pulumi.Output<string>;

	constructor(name: string, args: Wrapped<MemberInputs>, opts?: pulumi.CustomResourceOptions) {
		super(memberShim, "platform/Member", { staged: "plain" }, name, args, opts);
	}
}

/** Real processes on this machine under one supervisord: no root, no containers. */
export class LocalPlatform implements Platform {
	readonly host: { kind: "local"; stack: string };
	readonly #args: LocalPlatformArgs;

	constructor(args: LocalPlatformArgs) {
		this.#args = args;
		this.host = { kind: "local", stack: args.stack };
	}

	addresses(_cluster: string, slots: readonly number[]) {
		const { address = "127.0.0.1", aliases = false, basePort } = this.#args;
		return slots.map((slot) => ({ host: aliases ? next(address, slot) : address, port: basePort + slot }));
	}

	group(cluster: string, members: readonly MemberSpec[], { parent, after }: GroupOptions): LocalMember[] {
		const { supervisor, stack, dataRoot } = this.#args;
		const { hostId } = supervisor;
		return members.map((member) => {
			const own = { stack, hostId, cluster, run: "running", ...(dataRoot === undefined ? {} : { dataRoot }) };
			return new LocalMember(member.name, { ...member, ...own }, { parent, dependsOn: [supervisor, ...after] });
		});
	}
}

/** The address `steps` after an IPv4 address, within its last number. */
function next(address: string, steps: number): string {
	const at = address.lastIndexOf(".");
	return `${address.slice(0, at)}.${Number(address.slice(at + 1)) + steps}`;
}
