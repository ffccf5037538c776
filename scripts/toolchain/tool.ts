import type { Build } from "../../runtime/tools.ts";
import type { Progress } from "./progress.cjs";

/** How a program tells its version. */
export interface Probe {
	args: readonly string[];
	/** First group: the version, dotted digits. */
	pattern: RegExp;
}

/** What a source needs to work: where things are, and the helpers that sources share. */
export interface Workshop {
	/** Root of the checkout. */
	root: string;
	/** Root of the user's cache. */
	cache: string;
	/** The set-up's environment. */
	env: NodeJS.ProcessEnv;
	progress: Progress;
	/** A Go toolchain that is recent enough; made once, when first asked for. */
	go(): Promise<{ path: string; source: string }>;
}

/** Where one run of a source works. */
export interface Bench {
	/** Empty folder to fill; renamed into the cache when the program in it answers. Nothing in it may hold its path. */
	into: string;
	/** File for the output of whatever runs. */
	log: string;
	/** For a source to add to: files elsewhere without which the build is of no use, and is made again. */
	needs: string[];
}

/** Something that can make the pinned version of a program. */
export interface Source {
	/** In words, e.g. "Go modules": for progress, the record and failures. */
	name: string;
	/** What goes on meanwhile, e.g. "building"; and how long it takes as a rule. */
	doing: string;
	hint: string;
	/** Versions of the executables beside it, where they differ from the pin. */
	beside?: Record<string, string>;
	make(bench: Bench, workshop: Workshop): Promise<void>;
}

/** Versions from the first on, below the second. */
export interface Range {
	from: string;
	below: string;
}

/** What a program has of which several releases live on one machine, each whole in a folder of its own. */
export interface Family {
	/** Of the versions in the tool's range, those that the default build may have; the others can be named. */
	default: Range;
	/** Executables that every build must have beside it. */
	programs: readonly string[];
	/** Where packages put builds off PATH. One `*`: any name. */
	folders: readonly string[];
	/** Builds that the sources make besides the tool's own, in the same folder. */
	also: readonly { version: string; program: string }[];
	/** Whether a build has TLS. */
	tls(path: string): Promise<boolean>;
}

/** One external program: a record that says which versions will do and where it comes from, first that works first. */
export interface Tool {
	name: string;
	/** Versions that are taken from this machine. */
	range: Range;
	probe: Probe;
	/** The version that the sources make. */
	pin: string;
	/** Path of the executable in the folder that a source fills. */
	program: string;
	/** Executables that must lie beside it, each a tool of its own in the record. */
	beside: readonly string[];
	family?: Family;
	/** Tried in order, after PATH and the cache. */
	sources: readonly Source[];
	/** What a person can do when no source works. */
	advice: string;
}

/** A program that answered its probe. */
export interface Found {
	path: string;
	version: string;
	source: string;
	/** Versions of the executables beside it. */
	beside: Record<string, string>;
	/** Other builds that were made with it. */
	also?: Build[];
	/** Files elsewhere that it cannot do without. */
	needs?: string[];
}

/** The versions that the default build may have. */
export function wanted(tool: Tool): Range {
	return tool.family?.default ?? tool.range;
}

export const platform = `${process.platform}-${process.arch}`;
