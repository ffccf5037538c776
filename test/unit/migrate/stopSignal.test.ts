import { spawn } from "node:child_process";
import { join } from "node:path";

const MODULE = JSON.stringify(join(__dirname, "../../../scripts/stopSignal.ts"));

/** A process that works until it is asked to stop, and then `after`. It says when it was asked. */
function worker(after: string) {
	const script = `import { stoppable } from ${MODULE};
		process.exitCode = await stoppable(async (signal) => {
			const timer = setInterval(() => {}, 1000);
			console.log("works");
			await new Promise((resolve) => signal.addEventListener("abort", resolve));
			console.log("asked");
			${after}
			clearInterval(timer);
			return 75;
		});`;
	const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "ignore"] });
	const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
	let heard = "";
	child.stdout.on("data", (text) => {
		heard += text;
	});
	const says = async (word: string) => {
		while (!heard.includes(word)) await new Promise((resolve) => setTimeout(resolve, 10));
	};
	return { child, ended, says };
}

test.each(["SIGTERM", "SIGINT"] as const)("%s lets the work at hand be finished", async (signal) => {
	const { child, ended, says } = worker("");
	await says("works");
	child.kill(signal);
	expect(await ended).toBe(75);
});

test("a second one ends it at once", async () => {
	const { child, ended, says } = worker("await new Promise(() => {});");
	await says("works");
	child.kill("SIGTERM");
	await says("asked");
	child.kill("SIGINT");
	expect(await ended).toBe(130);
});
