import { HoldfastError } from "../runtime/errors.ts";
import { pulumi } from "./pulumi.ts";

export interface MongoOutputs {
	replicaSet: string;
	hosts: string[];
	/** User name -> connection string. */
	users: Record<string, string>;
}

export interface StackOutputs {
	mongo?: MongoOutputs;
}

/** The stack's outputs, with secrets: for the caller's eyes only. */
export async function stackOutputs(stack: string): Promise<StackOutputs> {
	const { code, stdout, stderr } = await pulumi(["stack", "output", "--json", "--show-secrets", "--stack", stack]);
	if (code !== 0) {
		throw new HoldfastError("HF_UNREACHABLE", `stack ${stack} has no outputs: ${stderr.trim()}`, { next: "npm start" });
	}
	return JSON.parse(stdout) as StackOutputs;
}

/** A connection string with its password hidden. */
export const hidePassword = (uri: string): string => uri.replace(/^(\w+:\/\/[^:@/]+):[^@]*@/, "$1:****@");
