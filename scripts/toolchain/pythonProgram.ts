import { realpathSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { installPackages, type PythonPackages } from "./python.ts";
import type { Source } from "./tool.ts";

/** One executable of a Python program: its path in the folder, and the function it calls as `module:function`. */
interface Launcher {
	program: string;
	entry: string;
}

/** `compiled`: some of the packages hold machine code for one release of Python, which cannot be used with another. */
interface PythonProgram extends PythonPackages {
	launchers: readonly Launcher[];
	compiled?: boolean;
}

/** A Python program: its packages and launchers that find them wherever the folder is. */
export function pythonProgram(name: string, { launchers, compiled = false, ...packages }: PythonProgram): Source {
	return {
		name: `PyPI ${name}`,
		doing: "downloading",
		hint: "once",
		async make(bench, workshop) {
			const found = await installPackages(packages, bench, workshop);
			// Without links: `python3` is another release after an upgrade of the system.
			const interpreter = compiled ? realpathSync(found) : found;
			if (compiled) bench.needs.push(interpreter);
			for (const { program, entry } of launchers) {
				const file = `${basename(program)}.py`;
				await writeFile(join(bench.into, file), start(basename(program), entry));
				await mkdir(dirname(join(bench.into, program)), { recursive: true });
				await writeFile(join(bench.into, program), launcher(interpreter, file, compiled), { mode: 0o755 });
			}
		},
	};
}

/** Guarded, because Python's multiprocessing reads it again in the processes that it starts. */
function start(program: string, entry: string): string {
	const [module, name] = entry.split(":");
	return `import sys, os
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
if __name__ == "__main__":
    sys.argv[0] = "${program}"
    from ${module} import ${name}
    sys.exit(${name}())
`;
}

function launcher(interpreter: string, file: string, compiled: boolean): string {
	const quoted = `'${interpreter.replaceAll("'", `'\\''`)}'`;
	const fallback = `# The interpreter that it was installed with may be gone after an upgrade of Python: then any will do.
[ -x "$python" ] || python=python3
`;
	return `#!/bin/sh
python=${quoted}
${compiled ? "" : fallback}folder=$(dirname "$(dirname "$(readlink -f "$0")")")
exec "$python" -I "$folder/${file}" "$@"
`;
}
