import { Command } from "commander";
import { codes, describe, HoldfastError } from "../runtime/errors.ts";
import { keepCompiled, root } from "./environment.ts";

interface Globals {
	stack: string;
	json: boolean;
}

/** Runs a command's module when it is asked for, so that `--help` loads nothing. */
async function run(command: Command, name: string, options: object): Promise<void> {
	keepCompiled();
	const globals = command.optsWithGlobals<Globals>();
	const module = (await import(`./commands/${name}.ts`)) as {
		run(options: Globals & object): Promise<number | undefined>;
	};
	process.exitCode = (await module.run({ ...globals, ...options })) ?? 0;
}

function program(): Command {
	const holdfast = new Command("holdfast")
		.description("Runs databases well where nobody else does.")
		.option("--stack <name>", "the stack to work on", "local")
		.option("--json", "machine-readable output", false)
		.exitOverride()
		.configureHelp({ showGlobalOptions: true });
	const add = (name: string, description: string) => {
		const [verb] = name.split(" ") as [string];
		return holdfast
			.command(name)
			.description(description)
			.action((...args: unknown[]) => {
				const command = args.at(-1) as Command;
				return run(command, verb, { ...command.opts(), args: command.processedArgs });
			});
	};
	add("up", "bring up what the stack declares, and say how to connect").option(
		"--refresh",
		"look at the real world first",
	);
	add("preview", "show what up would change, property by property").option("--refresh", "look at the real world first");
	add("down", "stop everything and delete the data").option("--delete-data <stack>", "confirm by the stack's name");
	add("refresh", "compare the state with what is really there; repairs nothing");
	add("status", "what runs, and how it is").option("--watch", "again every two seconds, until it is interrupted");
	add("switchover <cluster> [member]", "let another member of a PostgreSQL cluster lead, without losing a write");
	add("connect <system>", "how to connect (mongo, postgres, redis)")
		.option("--reveal", "show passwords and keys")
		.option("--user <name>", "only this user or role")
		.option("--form <form>", "uri, ca; postgres also readonly, jdbc, pgpass; redis curl, url, urls, key, env");
	add("doctor", "check this machine and the programs");
	add("env", 'print what a shell needs to run pulumi by hand: eval "$(npm run --silent holdfast -- env)"');
	add("explain <code>", "what an error code means");
	add("serve <kind> <verb>", "run one verb of one kind, with its arguments as JSON on standard input");
	add("pulumi [args...]", "the Pulumi CLI with the right environment").allowUnknownOption().helpOption(false);
	return holdfast;
}

/** Prints a failure where a person, or a program with --json, looks for it; the exit code tells its class. */
function fail(error: unknown): void {
	const { code = "", exitCode } = error as { code?: string; exitCode?: number };
	if (code.startsWith("commander.")) {
		process.exitCode = exitCode === 0 ? 0 : codes.HF_USAGE.exit;
		return;
	}
	const known =
		error instanceof HoldfastError ? error : new HoldfastError("HF_INTERNAL", describe(error), { cause: error });
	process.exitCode = codes[known.code].exit;
	if (process.argv.includes("--json"))
		console.log(JSON.stringify({ error: { code: known.code, message: known.message, next: known.next } }));
	else console.error(describe(known));
}

process.chdir(root);
program().parseAsync().catch(fail);
