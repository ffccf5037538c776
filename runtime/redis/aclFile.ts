/** Path of a node's users in its folder; `ACL LOAD` makes a running node read it. */
export const ACL_FILE = "live/users.acl";

/** The managers' user. */
export const NODE_USER = "holdfast";
/** Who makes a node read its users, and looks at its configuration. */
export const ADMIN_USER = "holdfast-admin";

/** SHA-256 of the passwords that each user may come with, as lower-case hex. */
export interface AclHashes {
	node: readonly string[];
	admin: readonly string[];
}

/** Exactly what a manager sends, its scripts' own commands included. */
const NODE_COMMANDS = [
	...["ping", "info", "time", "config|get", "eval", "evalsha"],
	...["scan", "get", "mget", "set", "getrange", "unlink"],
];

const ADMIN_COMMANDS = ["ping", "info", "acl|load", "config|get"];

const allowed = (commands: readonly string[]): string => commands.map((command) => `+${command}`).join(" ");
const known = (hashes: readonly string[]): string => hashes.map((hash) => `#${hash}`).join(" ");

/**
 * A node's users: nobody without a name; the managers' may touch the keys of records and of the managers alone, with the
 * commands that they use; the administrator's touches no key. Holds no password.
 */
export const aclText = ({ node, admin }: AclHashes): string =>
	[
		"user default off resetkeys resetchannels -@all",
		`user ${NODE_USER} on ${known(node)} ~d:* ~m:* resetchannels -@all ${allowed(NODE_COMMANDS)}`,
		`user ${ADMIN_USER} on ${known(admin)} resetkeys resetchannels -@all ${allowed(ADMIN_COMMANDS)}`,
		"",
	].join("\n");

/** Which passwords a text of `aclText`, also one of another release, lets in. */
export function parseAcl(text: string): AclHashes {
	const of = (user: string): string[] => {
		const line = text.split("\n").find((one) => one.startsWith(`user ${user} `)) ?? "";
		return [...line.matchAll(/ #([0-9a-f]{64})(?= |$)/g)].map(([, hash]) => hash!);
	};
	return { node: of(NODE_USER), admin: of(ADMIN_USER) };
}

/** Those of both, the wanted ones first. */
export const widened = (wanted: AclHashes, held: AclHashes): AclHashes => ({
	node: [...new Set([...wanted.node, ...held.node])],
	admin: [...new Set([...wanted.admin, ...held.admin])],
});
