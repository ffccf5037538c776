import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import {
	ACL_FILE,
	API_KEY_FILE,
	aclText,
	MANAGER_FILE,
	managerJson,
	NODES_FILE,
	nodesJson,
	PASSWORD_FILE,
	REDIS_FILE,
	type RedisDeclared,
	type RedisTopology,
	redisConf,
} from "../../runtime/redis/model.ts";
import type { MemberSpec } from "../platform/platform.ts";

/** What nodes and managers are born with. */
export interface RedisSecrets {
	/** Of the managers' user on the nodes. */
	node: pulumi.Output<string>;
	/** Of the user that makes nodes read their users. */
	admin: pulumi.Output<string>;
	apiKey: pulumi.Output<string>;
}

interface Shape extends Pick<RedisTopology, "nodes" | "managers"> {
	cluster: string;
	declared: RedisDeclared;
	secrets: RedisSecrets;
	adopt: boolean;
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** What the platform is told of every node: its configuration, and the first text of its users. */
export function nodeSpecs({ nodes, declared, secrets, adopt }: Shape): MemberSpec[] {
	const users = pulumi
		.output([secrets.node, secrets.admin])
		.apply(([node, admin]) => aclText({ node: [sha256(node!)], admin: [sha256(admin!)] }));
	return nodes.map(({ slot, name, address, processes }) => ({
		...{ slot, name, address, processes, adopt },
		files: { [REDIS_FILE]: redisConf(address, declared) },
		birthFiles: { [ACL_FILE]: users },
	}));
}

/** What the platform is told of every manager: its settings, and first whom and what it knows. */
export function managerSpecs({ cluster, nodes, managers, declared, secrets, adopt }: Shape): MemberSpec[] {
	return managers.map(({ slot, name, address, processes }) => ({
		...{ slot, name, address, processes, adopt },
		files: { [MANAGER_FILE]: managerJson(cluster, address, declared) },
		birthFiles: {
			[NODES_FILE]: nodesJson(nodes),
			[API_KEY_FILE]: secrets.apiKey.apply((key) => `${key}\n`),
			[PASSWORD_FILE]: secrets.node.apply((password) => `${password}\n`),
		},
	}));
}
