/** What a process is doing. `backing-off`: it failed and waits for its next start; `fatal`: its configuration is wrong. */
export type ProcessState = "stopped" | "starting" | "running" | "backing-off" | "stopping" | "fatal";

export interface ProcessStatus {
	name: string;
	state: ProcessState;
	pid?: number;
	/** Starts since the last one that lasted ten minutes. */
	failures: number;
	/** Why it is not running, in words for the operator: exit code and meaning, owner of a busy port, next start. */
	detail?: string;
}

export interface MemberStatus {
	member: string;
	/** The worst state of its processes; `missing` when the folder or the processes are not there. */
	state: ProcessState | "missing";
	/** Hash of what is on disk now, secrets included. */
	staged?: string;
	/** Hash of what was on disk when its processes last started: differs from `staged` while a restart is pending. */
	started?: string;
	processes: ProcessStatus[];
}

/**
 * Starts and stops the members of a stack, whatever runs them. The only thing domains know about a platform.
 * Every method is bounded by the contract of the program (runtime/platform/contract.ts) and can be run again.
 */
export interface Host {
	/** Starts the processes of a member; does nothing to those that run. */
	start(member: string): Promise<void>;
	/** Stops cleanly and waits; does nothing to a stopped member. */
	stop(member: string): Promise<void>;
	/** Stop, then start with what is staged. */
	restart(member: string): Promise<void>;
	status(member: string): Promise<MemberStatus>;
	/** Text of a file of the member, `undefined` when absent. */
	read(member: string, file: string): Promise<string | undefined>;
	/** Stages a file (0600, atomically); the next start uses it. */
	write(member: string, file: string, text: string): Promise<void>;
}
