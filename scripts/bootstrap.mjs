// Sets the checkout up before npm start, npm test and the others: npm packages, Node 24, external programs.
// Runs under whatever Node the machine has, so nothing is imported before its version is known to be enough.
import { spawn } from "node:child_process";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const OLDEST_NODE = 18;
const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Runs TypeScript under Node 24, on our terminal; resolves to its exit code. */
function runTypeScript(node, args) {
	return new Promise((done, fail) => {
		const child = spawn(node, args, { cwd: root, stdio: "inherit" });
		for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
		child.once("error", fail);
		child.once("close", (code) => done(code === null ? 1 : code));
	});
}

async function main() {
	if (Number(process.versions.node.split(".")[0]) < OLDEST_NODE) {
		throw new Error(`Node ${process.version} is too old. Next: put Node 20 or newer on PATH`);
	}
	const { ensureDependencies } = await import("./toolchain/dependencies.mjs");
	const { isCurrent, lockOf, readRecord } = (await import("./toolchain/record.cjs")).default;
	const node = await ensureDependencies(root);
	const home = resolve(root, process.env.HOLDFAST_HOME || ".holdfast");
	if (isCurrent(readRecord(home), lockOf(root))) return;
	process.exitCode = await runTypeScript(node, [join(root, "scripts", "tools.ts"), "ensure"]);
}

main().catch((error) => {
	console.error(`holdfast: ${error.message}`);
	process.exitCode = 1;
});
