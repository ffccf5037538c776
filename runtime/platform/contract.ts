import type { ProcessSpec } from "./model.ts";

/** What the platform must know of a program to run it well; figures were measured with the real program. */
export interface ProgramContract {
	/** Asks for a clean end. */
	stopSignal: "TERM" | "INT" | "QUIT";
	/** Seconds a clean end may take before the process is killed. */
	stopWait: number;
	/** Seconds after a start until a process that does not answer on its port is reported. It goes on being started. */
	startGrace: number;
	/** Longest delay in seconds between failed starts. @default 60 */
	longestDelay?: number;
	/** Makes the program open its log file anew, after `log/<process>.log` was moved away; absent where it rotates its own logs. */
	rotateSignal?: "USR1" | "HUP";
	/** It refuses to run as root: started by root, it gets a user namespace in which it is somebody else. */
	unprivileged?: true;
	/** Exit codes of a configuration that cannot work, whatever changes around it: not started again. */
	fatal: readonly number[];
	/** What exit codes mean, for the operator. */
	exits: Readonly<Record<number, string>>;
}

export const contracts: Readonly<Record<ProcessSpec["program"], ProgramContract>> = {
	mongod: {
		stopSignal: "TERM",
		// 15 s of quiescing, then the checkpoint: 16 s when measured idle.
		stopWait: 120,
		startGrace: 60,
		rotateSignal: "USR1",
		// Not 100 and 14: a full disk ends in either, and heals.
		fatal: [2, 62],
		exits: {
			1: "start-up failed",
			2: "the configuration is wrong",
			3: "replication failed",
			14: "an assertion failed, as on a full disk or damaged data",
			45: "the file system failed",
			47: "the clock is wrong",
			48: "the port is in use or the address is not of this machine",
			51: "start-up failed",
			60: "data may be damaged",
			61: "the disk does not answer",
			62: "the data belongs to another version",
			100: "start-up failed: the data folder is in use, full or not readable",
		},
	},
	etcd: {
		stopSignal: "TERM",
		stopWait: 30,
		startGrace: 60,
		fatal: [],
		exits: {
			1: "start-up failed: the configuration, the address, the data folder or its place in the cluster is wrong",
			2: "the configuration is wrong, or its data does not fit the cluster",
		},
	},
	// Not a server: watches that no postmaster outlives its Patroni. Ends a postmaster before it ends itself.
	guard: { stopSignal: "TERM", stopWait: 30, startGrace: 10, fatal: [], exits: {} },
	patroni: {
		stopSignal: "TERM",
		// Twice primary_stop_timeout (30) for the checkpoints, and time to hand over the leader key: never the usual 10.
		stopWait: 120,
		startGrace: 60,
		unprivileged: true,
		// Never final, and never away for long: its postmaster would have to stop.
		longestDelay: 4,
		fatal: [],
		exits: { 1: "start-up failed, or the data belongs to another cluster" },
	},
	"redis-server": {
		stopSignal: "TERM",
		// Writes what is left of its append-only file; a disk that hangs takes the time.
		stopWait: 60,
		// It answers on its port while it still loads its append-only file, however long that is.
		startGrace: 60,
		// Opens its log anew for every line, and ignores this signal.
		rotateSignal: "HUP",
		// Everything ends in 1, also what heals: a port in use, a full disk.
		fatal: [],
		exits: { 1: "start-up failed: the configuration, the address, the ACL file or the append-only file is wrong" },
	},
	"redis-manager": {
		stopSignal: "TERM",
		// Ends the requests that it has taken, and its round at the next page.
		stopWait: 60,
		startGrace: 60,
		rotateSignal: "HUP",
		fatal: [2],
		exits: {
			1: "start-up failed: its port is in use",
			2: "a setting is refused",
			255: "a defect of the manager: its log says where",
		},
	},
};

/** Delays between starts, in seconds: none at first, then `first` doubling to `cap` or the program's own longest; a start that lasted `calm` resets. */
export const backoff = { first: 1, cap: 60, calm: 600 } as const;

/** Soft limit of open files for every process; less where the hard limit is lower. */
export const openFiles = 64_000;

/** A process's own log is moved away beyond so many bytes, and so many old ones are kept; looked at every `seconds`. */
export const rotation = { seconds: 5, bytes: 16 * 1024 * 1024, copies: 5 } as const;

/** How a process ended, in words: `how` as supervisord's log says it ("exit status 48", "terminated by SIGKILL"). */
export function explainExit(program: ProcessSpec["program"], how: string): string {
	const code = /^exit status (\d+)$/.exec(how)?.[1];
	const meaning = code === undefined ? undefined : contracts[program].exits[Number(code)];
	return meaning ? `${how}: ${meaning}` : how;
}
