import { HoldfastError } from "../../runtime/errors.ts";
import { hidePassword, hidePgpass, type StackOutputs, stackOutputs } from "../outputs.ts";
import { requireConfig } from "../pulumi.ts";
import { redisForms } from "../systems/redis.ts";

interface Options {
	stack: string;
	json: boolean;
	reveal?: boolean;
	user?: string;
	form?: string;
	args: [string];
}

/** Forms of a connection, the usual one first. */
const forms = {
	mongo: ["uri", "ca"],
	postgres: ["uri", "readonly", "jdbc", "pgpass", "ca"],
	redis: ["curl", "url", "urls", "key", "env"],
} as const;
type System = keyof typeof forms;

/** Name of the user or role -> how it connects. */
type Connections = Record<string, string>;

/** How to connect: connection strings, one a user; or what a client of the Redis manager needs. */
export async function run(options: Options): Promise<void> {
	const { stack, json, reveal = false, args } = options;
	const system = systemOf(args[0]);
	const form = formOf(system, options.form ?? forms[system][0]);
	if (system === "redis" && options.user !== undefined)
		throw new HoldfastError("HF_USAGE", "a Redis manager has no users: leave --user out");
	requireConfig(stack);
	const outputs = await stackOutputs(stack);
	if (form === "ca") return console.log(authority(outputs, stack, system).trimEnd());
	if (system === "redis") return showRedis(outputs, stack, form, reveal, json);
	const shown = chosen(connections(outputs, stack, system, form), options).map(([name, text]) => {
		const hide = form === "pgpass" ? hidePgpass : hidePassword;
		return [name, reveal ? text : hide(text)] as const;
	});
	if (json) console.log(JSON.stringify(Object.fromEntries(shown)));
	else for (const [name, text] of shown) console.log(`${name}\n  ${text.trimEnd().replaceAll("\n", "\n  ")}`);
}

function systemOf(word: string): System {
	if (word in forms) return word as System;
	throw new HoldfastError("HF_USAGE", `there is no system ${word}: ${Object.keys(forms).join(", ")}`);
}

function formOf(system: System, form: string): string {
	if (forms[system].some((one) => one === form)) return form;
	throw new HoldfastError("HF_USAGE", `there is no form ${form}: ${forms[system].join(", ")}`);
}

function chosen(found: Connections, { stack, user }: Options): [string, string][] {
	if (user === undefined) return Object.entries(found);
	if (user in found) return [[user, found[user]!]];
	throw new HoldfastError("HF_USAGE", `stack ${stack} has no user ${user}: ${Object.keys(found).join(", ")}`);
}

/** The CAs that clients verify servers with, as the file that connection strings name. */
function authority({ mongo, postgres }: StackOutputs, stack: string, system: System): string {
	const ca = { mongo, postgres, redis: undefined }[system]?.ca;
	if (ca !== undefined) return ca;
	throw new HoldfastError("HF_USAGE", `stack ${stack} has no ${system} with TLS`, {
		next: "set tls in its configuration",
	});
}

/** One text and nothing else, so that a shell can take it. */
function showRedis({ redis }: StackOutputs, stack: string, form: string, reveal: boolean, json: boolean): void {
	if (!redis) throw absent(stack, "redis");
	const text = redisForms(redis, reveal)[form as keyof ReturnType<typeof redisForms>];
	console.log(json ? JSON.stringify({ [form]: text }) : text);
}

function connections({ mongo, postgres }: StackOutputs, stack: string, system: System, form: string): Connections {
	if (system === "mongo" && mongo) return mongo.users;
	if (system === "postgres" && postgres) {
		const key = { uri: "uri", readonly: "readOnlyUri", jdbc: "jdbcUrl", pgpass: "pgpass" } as const;
		const way = key[form as keyof typeof key];
		return Object.fromEntries(Object.entries(postgres.roles).map(([role, ways]) => [role, ways[way]]));
	}
	throw absent(stack, system);
}

const absent = (stack: string, system: string): HoldfastError =>
	new HoldfastError("HF_UNREACHABLE", `stack ${stack} runs no ${system}`, { next: "npm start" });
