import { HoldfastError } from "../../runtime/errors.ts";
import { hidePassword, stackOutputs } from "../outputs.ts";
import { requireConfig } from "../pulumi.ts";

interface Options {
	stack: string;
	json: boolean;
	reveal?: boolean;
	user?: string;
	args: [string];
}

/** Connection strings, one a user. */
export async function run({ stack, json, reveal = false, user, args: [system] }: Options): Promise<void> {
	if (system !== "mongo") throw new HoldfastError("HF_USAGE", `there is no system ${system}: mongo`);
	requireConfig(stack);
	const outputs = await stackOutputs(stack);
	if (!outputs.mongo)
		throw new HoldfastError("HF_UNREACHABLE", `stack ${stack} runs no ${system}`, { next: "npm start" });
	const { users } = outputs.mongo;
	if (user !== undefined && !(user in users)) {
		throw new HoldfastError("HF_USAGE", `stack ${stack} has no user ${user}: ${Object.keys(users).join(", ")}`);
	}
	const chosen = Object.entries(users).filter(([name]) => user === undefined || name === user);
	const shown = chosen.map(([name, uri]) => [name, reveal ? uri : hidePassword(uri)] as const);
	if (json) console.log(JSON.stringify(Object.fromEntries(shown)));
	else for (const [name, uri] of shown) console.log(`${name}\n  ${uri}`);
}
