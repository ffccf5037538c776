import { HoldfastError } from "../errors.ts";
import type { Host } from "./host.ts";
import { localHost } from "./local.ts";
import type { HostReference } from "./model.ts";

/** The machinery that a reference names. */
export function openHost(reference: HostReference): Host {
	return reference.kind === "local" ? localHost(reference.stack) : existingHost;
}

/** Members that somebody else runs: they can be asked for, never changed. */
const existingHost: Host = {
	start: (member) => refuse("started", member),
	stop: (member) => refuse("stopped", member),
	restart: (member) => refuse("restarted", member),
	release: (member) => refuse("started", member),
	status: async (member) => ({ member, state: "running", pendingRestart: false, processes: [] }),
	read: async () => undefined,
	exists: async () => false,
	setAside: (member) => refuse("changed", member),
	write: (member) => refuse("changed", member),
};

async function refuse(verb: string, member: string): Promise<never> {
	throw new HoldfastError("HF_REJECTED", `member ${member} is run by somebody else and cannot be ${verb} from here`, {
		next: "do it with whatever runs the member",
	});
}
