import { root } from "./environment.ts";

/** The folder in which the command was given: npm goes to the checkout first and leaves a note. Read before a chdir. */
export const startedIn = (process.cwd() === root && process.env.INIT_CWD) || process.cwd();
