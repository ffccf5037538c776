import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Progress } from "../../../scripts/toolchain/progress.cjs";
import type { Source, Tool, Workshop } from "../../../scripts/toolchain/tool.ts";

const folders: string[] = [];

/** A folder that is gone after the test file. */
export function scratch(): string {
	const folder = mkdtempSync(join(tmpdir(), "holdfast-toolchain-"));
	folders.push(folder);
	return folder;
}

afterAll(() => {
	for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** An executable that prints one line. */
export function program(path: string, says: string): string {
	return script(path, `echo "${says}"`);
}

export function script(path: string, body: string): string {
	mkdirSync(dirname(path), { recursive: true });
	writeFileSync(path, `#!/bin/sh\n${body}\n`);
	chmodSync(path, 0o755);
	return path;
}

/** A source that makes `bin/thing` and counts how often it was asked. */
export function making(name: string, says: string): Source & { times: number } {
	const source = {
		name,
		doing: "making",
		hint: "at once",
		times: 0,
		make: async ({ into }: { into: string }) => {
			source.times++;
			program(join(into, "bin/thing"), says);
		},
	};
	return source;
}

export function failing(name: string, reason: string): Source {
	return {
		name,
		doing: "making",
		hint: "at once",
		make: async () => {
			throw new Error(reason);
		},
	};
}

export function thing(sources: readonly Source[], more: Partial<Tool> = {}): Tool {
	return {
		name: "thing",
		range: { from: "2.1", below: "4" },
		probe: { args: [], pattern: /^thing (\d+\.\d+\.\d+)/ },
		pin: "2.5.0",
		program: "bin/thing",
		beside: [],
		sources,
		advice: "install thing 3",
		...more,
	};
}

/** A workshop whose PATH is one empty folder, with everything it said in `said`. */
export function workshop(): Workshop & { folder: string; said: string[] } {
	const folder = scratch();
	const said: string[] = [];
	return {
		folder,
		said,
		root: folder,
		cache: join(folder, "cache"),
		env: { PATH: join(folder, "bin") },
		progress: new Progress({ write: (text) => said.push(text) }),
		go: async () => {
			throw new Error("no go here");
		},
	};
}
