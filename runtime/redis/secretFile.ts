import { type Stats, statSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import type { SecretText } from "./readSettings.ts";

const POLL_MS = 1000;

export interface Watched<T> {
	/** As it stands now; another object only when it changed. */
	current(): T;
	close(): void;
}

export interface WatchOptions<T> {
	/** Of the setting, for the log. */
	name: string;
	secret: SecretText;
	/** Makes what is used of the text; throws on what cannot be used. */
	parse: (text: string) => T;
	/** Text of the file, as it was when settings were read. */
	read: (path: string) => string;
	log: Logger;
	/** Milliseconds between two looks at the file. @default 1000 */
	pollMs?: number;
}

const versionOf = ({ mtimeMs, ino, size }: Stats): string => `${mtimeMs} ${ino} ${size}`;

/**
 * A secret that may be replaced while the process runs: its file is looked at every second. A text that cannot be used,
 * or a file that is gone, leaves the last good one in place and is logged once.
 */
export function watchSecret<T>({ name, secret, parse, read, log, pollMs = POLL_MS }: WatchOptions<T>): Watched<T> {
	if ("text" in secret) {
		const only = parse(secret.text);
		return { current: () => only, close: () => undefined };
	}
	const { path } = secret;
	// Looked at before it is read: a change between the two is noticed by the next look.
	let version = versionOf(statSync(path));
	let text = read(path).trim();
	let value = parse(text);
	let problem: string | undefined;
	const report = (found: string | undefined): void => {
		if (found !== undefined && found !== problem) log.warn({ setting: name, problem: found }, "secret not taken up");
		problem = found;
	};
	const closing = new AbortController();
	const { signal } = closing;
	const look = async (): Promise<void> => {
		const seen = versionOf(await stat(path));
		if (seen === version && problem === undefined) return;
		const now = (await readFile(path, "utf8")).trim();
		if (signal.aborted) return;
		version = seen;
		if (now !== text) {
			value = parse(now);
			text = now;
			log.info({ setting: name }, "secret taken up");
		}
		report(undefined);
	};
	// One look after the other: an older one that took longer must not have the last word.
	const follow = async (): Promise<void> => {
		for (;;) {
			await sleep(pollMs, undefined, { signal, ref: false }).catch(() => undefined);
			if (signal.aborted) return;
			await look().catch((error) => {
				if (!signal.aborted) report(reasonOf(error));
			});
		}
	};
	void follow();
	return { current: () => value, close: () => closing.abort() };
}

/** Never the text itself: an error of `parse` names the setting and what is wrong. */
const reasonOf = (error: NodeJS.ErrnoException): string => error.code ?? error.name;
