/**
 * Every failure an operator can meet, by a code that never changes its meaning.
 * `exit` is the CLI's exit code (docs/errors.md); `next` is said when the thrower has nothing better.
 */
export const codes = {
	HF_SETTING: {
		meaning: "a setting of the stack is refused; nothing was changed",
		exit: 2,
		next: "correct the setting and run the command again",
	},
	HF_USAGE: { meaning: "the command was called with wrong words", exit: 2, next: "see holdfast --help" },
	HF_CREDENTIALS: {
		meaning: "a cluster refuses the credentials that are known here",
		exit: 3,
		next: "check the credentials of the cluster",
	},
	HF_FOREIGN: {
		meaning: "something is there already that is not provably ours; it was left alone",
		exit: 4,
		next: "adopt it by name, or choose another address or folder",
	},
	HF_PORT_IN_USE: {
		meaning: "another process listens on a member's port",
		exit: 4,
		next: "stop the owner of the port, or change the base port",
	},
	HF_DATA_LOST: {
		meaning: "data that should be there is gone; nothing was created in its place",
		exit: 4,
		next: "restore the data, or see docs/runbook.md",
	},
	HF_UNSAFE: {
		meaning: "the step would leave the cluster without a healthy majority, or a process unattended",
		exit: 4,
		next: "bring the unhealthy members back first",
	},
	HF_UNREACHABLE: { meaning: "nobody answers at the addresses of a cluster", exit: 4, next: "see holdfast status" },
	HF_REJECTED: { meaning: "a server refused a command", exit: 4, next: "see docs/runbook.md" },
	HF_NOT_READY: {
		meaning: "something was made but is not healthy yet; its state is kept",
		exit: 4,
		next: "run holdfast up again: it continues where this stopped",
	},
	HF_TOOL: { meaning: "a program that is needed is missing or does not run", exit: 4, next: "see holdfast doctor" },
	HF_PROCESS: {
		meaning: "a member's process does not start or stop as it should",
		exit: 4,
		next: "see the member's log",
	},
	HF_PROTECTED: {
		meaning: "what would be deleted holds data and was not named",
		exit: 4,
		next: "name what may be deleted",
	},
	HF_FROZEN: {
		meaning: "an id map, rules or source differ from those a migration was begun with; nothing was changed",
		exit: 10,
		next: "go on with what it was begun with, or begin another migration",
	},
	HF_DAMAGED: {
		meaning: "a file or record is cut off or altered: its digest does not fit",
		exit: 11,
		next: "restore it from a copy",
	},
	HF_EXPIRED: {
		meaning: "the source does not serve the pinned read time any more",
		exit: 12,
		next: "begin another migration with a read time of its own",
	},
	HF_INCOMPLETE: {
		meaning: "a migration went through, but put items aside or met conflicts",
		exit: 13,
		next: "see holdfast migrate status, then migrate retry-dead-letters",
	},
	HF_DIFFERENT: {
		meaning: "source and target are not the same",
		exit: 14,
		next: "see the differences in the report",
	},
	HF_LOCKED: {
		meaning: "another run is at work on the same stack or cluster",
		exit: 8,
		next: "wait for the other run, or stop it",
	},
	HF_DEADLINE: {
		meaning: "a step took longer than it may; nothing was undone",
		exit: 9,
		next: "run holdfast up again: it continues where this stopped",
	},
	HF_RETRY: {
		meaning: "a run ended before it was through; what it did is kept",
		exit: 75,
		next: "run the same command again: it continues where this stopped",
	},
	HF_INTERNAL: {
		meaning: "a defect of this program",
		exit: 255,
		next: "this is a defect of holdfast: please report it",
	},
} as const;

export type Code = keyof typeof codes;

/**
 * The one error of the runtime. The message says what failed, on which host or object; `next` what to do.
 * It never holds inputs: a message is printed, stored in state and logged.
 */
export class HoldfastError extends Error {
	readonly code: Code;
	readonly next: string;
	constructor(code: Code, message: string, options: { next?: string; cause?: unknown } = {}) {
		const next = options.next ?? codes[code].next;
		super(`${code}: ${message}. Next: ${next}`, { cause: options.cause });
		this.name = "HoldfastError";
		this.code = code;
		this.next = next;
	}
}

/**
 * Something exists but is not finished: state keeps `id` and `outputs`, the next `up` goes on.
 * `observe` of the same thing must report what is really there, so that a refresh shows it as drift.
 */
export class NotReady extends HoldfastError {
	readonly id: string;
	readonly outputs: object;
	constructor(id: string, outputs: object, reason: string, options: { next?: string; cause?: unknown } = {}) {
		super("HF_NOT_READY", reason, options);
		this.name = "NotReady";
		this.id = id;
		this.outputs = outputs;
	}
}

/** The text of anything thrown, with those causes that it does not tell itself, on one line. */
export function describe(error: unknown): string {
	if (!(error instanceof Error)) return String(error);
	const cause = error.cause === undefined ? "" : describe(error.cause);
	return cause === "" || error.message.includes(cause) ? error.message : `${error.message} (${cause})`;
}
