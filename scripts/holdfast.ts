import { Command } from "commander";
import { codes, describe, HoldfastError } from "../runtime/errors.ts";
import { keepCompiled, root } from "./environment.ts";
import "./startedIn.ts";

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
	addMigrations(add);
	add("doctor", "check this machine and the programs");
	add("env", 'print what a shell needs to run pulumi by hand: eval "$(npm run --silent holdfast -- env)"');
	add("explain <code>", "what an error code means");
	add("serve <kind> <verb>", "run one verb of one kind, with its arguments as JSON on standard input");
	add("pulumi [args...]", "the Pulumi CLI with the right environment").allowUnknownOption().helpOption(false);
	return holdfast;
}

/** Commands that work by a file, without a stack. */
function addMigrations(add: (name: string, description: string) => Command): void {
	add("idmap <verb> <file>", "build, show, verify or export the frozen id map that a file declares")
		.option("--secret-file <path>", "where the secret of a deterministic map lies, mode 0600 (default beside the map)")
		.option("--secret-variable <name>", "an environment variable that has it instead")
		.option("--generate-secret", "build: make the secret file when there is none and no map either")
		.option("--format <format>", "show and export: ndjson or csv, to standard output")
		.option("--sources", "verify: also that every id of the sources is in it");
	add(
		"migrate <verb> [file]",
		"plan, run, resume, verify, status or retry-dead-letters of the migration that a file declares",
	)
		.option("--index <number>", "which of the processes this is, from 0 (default JOB_COMPLETION_INDEX)")
		.option("--count <number>", "how many processes share the partitions (default HOLDFAST_JOB_COUNT, else 1)")
		.option("--concurrency <number>", "partitions at work at once")
		.option("--overwrite", "replace what stands in the target and differs")
		.option("--take-over", "take partitions from a run that still holds them")
		.option("--max-errors <limit>", 'dead letters and conflicts at which it ends: a number, or a share as "1%"')
		.option("--accept-dead-letters", "complete it though items were put aside")
		.option("--read-time <time>", "verify: compare with the source at another time: now, or 2026-11-21T10:00:00Z")
		.option("--sample <number>", "verify: only look at so many random items of each kind")
		.option("--report <path>", "verify: write the report there")
		.option("--check <report>", "verify: check a report that was written; with a file, also against the ledger")
		.option("--metrics-port <port>", "serve /metrics for Prometheus")
		.option("--metrics-host <address>", "where to serve them (default 127.0.0.1)");
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
