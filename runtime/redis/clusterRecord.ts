import type { RedisMemberInputs } from "./clusterArguments.ts";

/** What this host knows of a Redis manager that it runs; kept by access.ts (0600), written before each change it names. */
export interface RedisRecord {
	/** Tells records of different systems apart. */
	system: "redis";
	/** Nodes that are declared, and those that still have to go. */
	nodes: readonly RedisMemberInputs[];
	managers: readonly RedisMemberInputs[];
	/** What clients show to a manager. */
	apiKey: string;
	/** The key before: accepted until the next one comes. */
	previousApiKey?: string;
	/** Password of the user that makes nodes read their users. */
	adminPassword: string;
	/** The one in force until the current one was proved by a login. */
	previousAdminPassword?: string;
	/** Set while users are being changed: what was written then may not have been read. */
	changingUsers?: boolean;
}
