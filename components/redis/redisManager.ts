import * as pulumi from "@pulumi/pulumi";
import { hostport } from "../../runtime/platform/model.ts";
import {
	managerUrl,
	type RedisArguments,
	type RedisDeclared,
	type RedisMember,
	redisArgumentsSchema,
	redisTopology,
} from "../../runtime/redis/model.ts";
import type { Platform } from "../platform/platform.ts";
import { hashOf, told } from "../platform/told.ts";
import { type SecretSource, secretValue } from "../secret.ts";
import { managerSpecs, nodeSpecs, type RedisSecrets } from "./members.ts";
import { RedisCluster, RedisRetire } from "./resources.ts";

export interface RedisManagerArgs extends RedisArguments {
	/** Stack that nodes and managers belong to. */
	stack: string;
	/** Where they run. */
	platform: Platform;
	/** Address the managers bind to; `0.0.0.0` is every one of the machine. @default the platform's */
	managerAddress?: string;
	/** What clients show as `x-api-key` (API_KEY): 16 to 200 ASCII characters. @default generated, 32 bytes */
	apiKey?: SecretSource;
	/** Password of the managers' user on the nodes (REDIS_PASSWORD). @default generated, 32 bytes */
	nodePassword?: SecretSource;
	/** Raise by one to rotate the password of the nodes' administrator. @default 1 */
	adminGeneration?: number;
	/** Take over members' folders that another stack, or a stack whose state was lost, left here. @default false */
	adopt?: boolean;
	/** Refuse to delete the nodes' records and the secrets they were born with. @default true */
	protect?: boolean;
}

/**
 * One REST API over several independent Redis nodes, each with a copy of everything: a write counts when a majority has
 * it, and nodes that were away are healed. Makes a `RedisRetire`, nodes, managers, a `RedisCluster` and secrets.
 */
export class RedisManager extends pulumi.ComponentResource {
	/** How the runtime finds it. */
	readonly access: { stack: string; cluster: string };
	/** Base URL of the first manager. */
	readonly baseUrl: string;
	/** Base URLs of all managers: any of them does. */
	readonly urls: string[];
	/** What clients show as `x-api-key` (secret). */
	readonly apiKey: pulumi.Output<string>;
	/** `ip:port` of the nodes, as answers name them. */
	readonly nodes: string[];
	/** Waited for by what uses the API. */
	readonly membership: RedisCluster;

	constructor(name: string, args: RedisManagerArgs, opts?: pulumi.ComponentResourceOptions) {
		const { platform, ...plain } = args;
		super("holdfast:redis:RedisManager", name, plain, opts);
		const { stack, managerAddress, apiKey, nodePassword, adminGeneration, adopt = false, ...rest } = plain;
		const { protect = true, ...given } = rest;
		const declared = redisArgumentsSchema.parse(given);
		const { nodes, managers, notes } = redisTopology(name, declared, hostsOf(platform, name, declared, managerAddress));
		for (const note of notes) void pulumi.log.info(note, this);
		const secret = (role: string, source: SecretSource = { kind: "generated" }) =>
			secretValue(`${name}-${role}`, source, { parent: this, protect });
		const secrets: RedisSecrets = {
			node: secret("node", nodePassword),
			admin: secret("admin", { kind: "generated", generation: adminGeneration ?? 1 }),
			apiKey: secret("api-key", apiKey),
		};
		const shape = { cluster: name, nodes, managers, declared, secrets, adopt };
		const specs = { nodes: nodeSpecs(shape), managers: managerSpecs(shape) };
		const common = {
			...{ access: { stack, cluster: name }, host: platform.host },
			...{ nodes: placed(nodes), managers: placed(managers) },
		};
		const parent = { parent: this };
		// Managers last, so that they end first and never miss a node that is still to be.
		const retire = new RedisRetire(`${name}-retire`, common, parent);
		const running = platform.group(name, specs.nodes, { parent: this, after: [retire] });
		const serving = platform.group(name, specs.managers, { parent: this, after: [retire, ...running] });
		const inputs = {
			...{ ...common, appendfsync: declared.appendfsync, configuration: hashOf(Object.values(specs).map(told)) },
			...{ nodePassword: secrets.node, adminPassword: secrets.admin, apiKey: secrets.apiKey },
		};
		this.membership = new RedisCluster(name, inputs, {
			...{ ...parent, protect, dependsOn: [retire, ...running, ...serving] },
		});
		this.access = common.access;
		this.urls = managers.map(({ address }) => managerUrl(address));
		this.baseUrl = this.urls[0]!;
		this.apiKey = secrets.apiKey;
		this.nodes = nodes.map(({ address }) => hostport(address));
		this.registerOutputs({ baseUrl: this.baseUrl, urls: this.urls, apiKey: this.apiKey, nodes: this.nodes });
	}
}

const placed = (members: readonly RedisMember[]) => members.map(({ name, address }) => ({ name, address }));

/** Addresses by slot, of nodes and of managers. */
function hostsOf(platform: Platform, cluster: string, declared: RedisDeclared, managerAddress: string | undefined) {
	const at = (count: number) => platform.addresses(cluster, [...Array(count).keys()]).map(({ host }) => host);
	return { nodes: at(declared.nodes), managers: at(declared.managers).map((host) => managerAddress ?? host) };
}
