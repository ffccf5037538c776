import { HoldfastError } from "../runtime/errors.ts";
import { pulumi } from "./pulumi.ts";

export interface MongoOutputs {
	replicaSet: string;
	hosts: string[];
	/** User name -> connection string. */
	users: Record<string, string>;
	/** With TLS: the CAs that servers are known by, PEM. */
	ca?: string;
}

/** Ways to connect as one role. */
export interface PostgresConnection {
	/** To whichever member takes writes. */
	uri: string;
	/** To a standby where there is one. */
	readOnlyUri: string;
	jdbcUrl: string;
	/** Lines for ~/.pgpass, one a member. */
	pgpass: string;
}

export interface PostgresOutputs {
	cluster: string;
	hosts: string[];
	/** Patroni's REST endpoints. */
	rest: string[];
	systemIdentifier: string;
	/** With TLS: the CAs that servers are known by, PEM. */
	ca?: string;
	roles: Record<string, PostgresConnection>;
}

export interface RedisOutputs {
	manager: string;
	/** Of the first manager. */
	baseUrl: string;
	urls: string[];
	/** What clients show as `x-api-key`. */
	apiKey: string;
	/** `ip:port` of the nodes. */
	nodes: string[];
	/** Redis version of the nodes. */
	version: string;
}

/** An id map: SHA-256 that stands for it, and its pairs. */
export interface IdMapOutputs {
	hash: string;
	count: number;
}

export interface MigrationOutputs {
	/** `loading` or `complete`. */
	state: string;
	/** Items. */
	written: number;
}

export interface StackOutputs {
	mongo?: MongoOutputs;
	postgres?: PostgresOutputs;
	redis?: RedisOutputs;
	/** By name, like the next. */
	idMaps?: Record<string, IdMapOutputs>;
	migrations?: Record<string, MigrationOutputs>;
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

/** Lines of ~/.pgpass with their passwords hidden: what follows the fourth colon that no backslash escapes. */
export const hidePgpass = (lines: string): string => lines.replace(/^((?:(?:\\.|[^:\\\n])*:){4}).*$/gm, "$1****");
