/**
 * What a process is doing. `backing-off`: it failed and waits for its next start; `fatal`: its configuration is wrong;
 * `held`: it waits for its cluster to let it start.
 */
export type ProcessState = "stopped" | "starting" | "running" | "backing-off" | "stopping" | "fatal" | "held";

export interface ProcessStatus {
	name: string;
	state: ProcessState;
	pid?: number;
	/** Starts since the last one that lasted ten minutes. */
	failures: number;
	/** It runs with other files below conf/ than those that are there now. */
	pendingRestart: boolean;
	/** Why it is not running, in words for the operator: exit code and meaning, owner of a busy port, next start. */
	detail?: string;
}

export interface MemberStatus {
	member: string;
	/** The worst state of its processes; `missing` when the folder or the processes are not there. */
	state: ProcessState | "missing";
	/** Whether one of its processes has to be restarted to run what is staged. */
	pendingRestart: boolean;
	processes: ProcessStatus[];
}

/**
 * Starts and stops the members of a stack, whatever runs them. The only thing domains know about a platform.
 * Every method is bounded by the contract of the program (runtime/platform/contract.ts) and can be run again.
 * With `process` only that process of the member is meant; otherwise all, started in their order, stopped in reverse.
 */
export interface Host {
	/** Starts the processes of a member; does nothing to those that run, nor to those that are held. */
	start(member: string, process?: string): Promise<void>;
	/** Stops cleanly and waits; does nothing to a stopped member. */
	stop(member: string, process?: string): Promise<void>;
	/** Stop, then start with what is staged. */
	restart(member: string, process?: string): Promise<void>;
	/**
	 * Lets a held process start, and waits for it: for good, or, where its specification names an `evidence`, for one
	 * start with `args` instead of its own arguments.
	 */
	release(member: string, process: string, args?: readonly string[]): Promise<void>;
	status(member: string): Promise<MemberStatus>;
	/** Text of a file of the member, `undefined` when absent. */
	read(member: string, file: string): Promise<string | undefined>;
	/** Stages a file (0600, atomically): below conf/ the next start uses it, below live/ the next reload. */
	write(member: string, file: string, text: string): Promise<void>;
	/** Whether a path of the member's folder, e.g. `data/etcd/member`, exists. */
	exists(member: string, path: string): Promise<boolean>;
	/**
	 * Makes way for new data: renames a folder below data/ that no process uses to `<path>.aside-<time>` and returns that
	 * name; `undefined` when there is none. Of earlier ones the newest is kept.
	 */
	setAside(member: string, path: string): Promise<string | undefined>;
}
