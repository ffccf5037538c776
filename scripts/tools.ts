import { dirname } from "node:path";
import { describe, HoldfastError } from "../runtime/errors.ts";
import { ensureTools } from "./toolchain/ensure.ts";
import { toolList } from "./toolchain/list.ts";

const root = dirname(import.meta.dirname);

async function main(command: string | undefined, options: readonly string[]): Promise<void> {
	if (command === "ensure") {
		await ensureTools(root);
	} else if (command === "list") {
		const tools = await toolList(root);
		const lines = tools.map(({ name, version, source, path, warnings }) =>
			[`${name} ${version} (${source}) ${path}`, ...warnings.map((warning) => `  warning: ${warning}`)].join("\n"),
		);
		console.log(options.includes("--json") ? JSON.stringify(tools, undefined, 2) : lines.join("\n"));
	} else {
		throw new HoldfastError("HF_USAGE", "tools.ts knows ensure and list [--json]", { next: "use one of them" });
	}
}

main(process.argv[2], process.argv.slice(3)).catch((error: unknown) => {
	console.error(describe(error));
	process.exitCode = 1;
});
