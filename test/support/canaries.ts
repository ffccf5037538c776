import { execFileSync } from "node:child_process";
import { lstatSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";

/** Secrets by a name that may be printed. */
export type Canaries = Readonly<Record<string, string>>;

/** A secret as it may turn up: as it is, inside JSON, in a URI, as base64 wherever it begins in a longer text. */
export function forms(secret: string): string[] {
	const uri = encodeURIComponent(secret);
	const strict = uri.replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
	const json = JSON.stringify(secret).slice(1, -1);
	const base64 = [0, 1, 2].map((offset) => {
		const text = Buffer.from(" ".repeat(offset) + secret).toString("base64");
		// What lies around the secret changes the characters at both ends.
		return text.slice(offset === 0 ? 0 : 4, Math.floor((Buffer.byteLength(secret) + offset) / 3) * 4);
	});
	return [...new Set([secret, uri, strict, json, JSON.stringify(json).slice(1, -1), ...base64])];
}

/** Names of the secrets that a text gives away in any form. */
export const told = (text: string, canaries: Canaries): string[] =>
	Object.entries(canaries)
		.filter(([, secret]) => forms(secret).some((form) => text.includes(form)))
		.map(([name]) => name);

/** Files below `folder` that give secrets away: path -> names. `scratch` is a folder outside for the patterns. */
export function tellingFiles(folder: string, canaries: Canaries, scratch: string): Record<string, string[]> {
	const patterns = join(scratch, "patterns");
	writeFileSync(patterns, Object.values(canaries).flatMap(forms).join("\n"), { mode: 0o600 });
	const found = grep(["-rlaF", "--devices=skip", "-f", patterns, folder]);
	return Object.fromEntries(
		found.map((file) => [relative(folder, file), told(readFileSync(file, "latin1"), bytes(canaries))]),
	);
}

/** Files are compared byte by byte. */
const bytes = (canaries: Canaries): Canaries =>
	Object.fromEntries(Object.entries(canaries).map(([name, secret]) => [name, Buffer.from(secret).toString("latin1")]));

function grep(args: string[]): string[] {
	try {
		return execFileSync("grep", args, { encoding: "utf8", env: { ...process.env, LC_ALL: "C" }, maxBuffer: 2 ** 26 })
			.trim()
			.split("\n");
	} catch (error) {
		if ((error as { status?: number }).status === 1) return [];
		throw error;
	}
}

/** What others than the owner can get at below `folder`: behind a folder that they cannot enter, nothing. */
export function openToOthers(folder: string): string[] {
	return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
		const path = join(folder, entry.name);
		const { mode } = lstatSync(path);
		if (entry.isSymbolicLink() || (mode & 0o077) === 0) return [];
		return entry.isDirectory() && (mode & 0o011) !== 0 ? [path, ...openToOthers(path)] : [path];
	});
}

/** Reads the arguments and the environment of every process of this user, twenty times a second. */
export class ProcessWatch {
	/** Each text once, with what it is of. */
	readonly seen = new Map<string, string>();
	rounds = 0;
	readonly #timer = setInterval(() => this.#look(), 50);

	#look(): void {
		this.rounds++;
		for (const pid of readdirSync("/proc")) {
			if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
			const command = read(pid, "cmdline");
			this.seen.set(command, "arguments");
			const environment = read(pid, "environ");
			if (!this.seen.has(environment)) this.seen.set(environment, `environment of ${command.replaceAll("\0", " ")}`);
		}
	}

	stop(): void {
		clearInterval(this.#timer);
	}

	/** What gave secrets away -> their names. */
	telling(canaries: Canaries): Record<string, string[]> {
		const found: Record<string, string[]> = {};
		for (const [text, what] of this.seen) {
			const names = told(text, canaries);
			if (names.length > 0) found[what === "arguments" ? text.replaceAll("\0", " ").slice(0, 60) : what] = names;
		}
		return found;
	}
}

function read(pid: string, file: string): string {
	try {
		return readFileSync(`/proc/${pid}/${file}`, "utf8");
	} catch {
		return ""; // gone meanwhile, or somebody else's
	}
}
