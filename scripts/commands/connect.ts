import { HoldfastError } from "../../runtime/errors.ts";
import { hidePassword, hidePgpass, type StackOutputs, stackOutputs } from "../outputs.ts";
import { requireConfig } from "../pulumi.ts";

interface Options {
	stack: string;
	json: boolean;
	reveal?: boolean;
	user?: string;
	form?: string;
	args: [string];
}

/** Forms of a connection, the usual one first. */
const forms = ["uri", "readonly", "jdbc", "pgpass", "ca"] as const;
type Form = Exclude<(typeof forms)[number], "ca">;

/** Name of the user or role -> how it connects. */
type Connections = Record<string, string>;

/** Connection strings, one a user. */
export async function run({ stack, json, reveal = false, user, form = "uri", args: [system] }: Options): Promise<void> {
	refuseWords(system, form);
	requireConfig(stack);
	if (form === "ca") return console.log((await authority(stack, system)).trimEnd());
	const found = connections(await stackOutputs(stack), stack, system, form as Form);
	if (user !== undefined && !(user in found)) {
		throw new HoldfastError("HF_USAGE", `stack ${stack} has no user ${user}: ${Object.keys(found).join(", ")}`);
	}
	const chosen = Object.entries(found).filter(([name]) => user === undefined || name === user);
	const hide = form === "pgpass" ? hidePgpass : hidePassword;
	const shown = chosen.map(([name, text]) => [name, reveal ? text : hide(text)] as const);
	if (json) console.log(JSON.stringify(Object.fromEntries(shown)));
	else for (const [name, text] of shown) console.log(`${name}\n  ${text.trimEnd().replaceAll("\n", "\n  ")}`);
}

/** The CAs that clients verify servers with, as the file that connection strings name. */
async function authority(stack: string, system: string): Promise<string> {
	const outputs: Partial<Record<string, { ca?: string }>> = { ...(await stackOutputs(stack)) };
	const ca = outputs[system]?.ca;
	if (ca !== undefined) return ca;
	throw new HoldfastError("HF_USAGE", `stack ${stack} has no ${system} with TLS`, {
		next: "set tls in its configuration",
	});
}

function refuseWords(system: string, form: string): void {
	if (system !== "mongo" && system !== "postgres")
		throw new HoldfastError("HF_USAGE", `there is no system ${system}: mongo, postgres`);
	if (!forms.some((one) => one === form))
		throw new HoldfastError("HF_USAGE", `there is no form ${form}: ${forms.join(", ")}`);
	if (system === "mongo" && form !== "uri" && form !== "ca")
		throw new HoldfastError("HF_USAGE", "mongo has the forms uri and ca only");
}

function connections({ mongo, postgres }: StackOutputs, stack: string, system: string, form: Form): Connections {
	if (system === "mongo" && mongo) return mongo.users;
	if (system === "postgres" && postgres) {
		const key = { uri: "uri", readonly: "readOnlyUri", jdbc: "jdbcUrl", pgpass: "pgpass" } as const;
		return Object.fromEntries(Object.entries(postgres.roles).map(([role, ways]) => [role, ways[key[form]]]));
	}
	throw new HoldfastError("HF_UNREACHABLE", `stack ${stack} runs no ${system}`, { next: "npm start" });
}
