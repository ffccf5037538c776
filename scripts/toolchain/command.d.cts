export interface RunOptions {
	cwd?: string;
	env?: NodeJS.ProcessEnv;
	/** File that output is appended to. */
	log: string;
	/** Milliseconds after which the program and its children are killed. */
	deadlineMs: number;
}
export function run(program: string, args: readonly string[], options: RunOptions): Promise<void>;
