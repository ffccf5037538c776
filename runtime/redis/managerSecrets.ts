import { HoldfastError } from "../errors.ts";
import { stackLog } from "../log.ts";
import type { RedisClusterInputs, RedisMemberInputs } from "./clusterArguments.ts";
import type { Lack } from "./lacking.ts";
import { API_KEY_FILE, NODES_FILE, PASSWORD_FILE } from "./managerConf.ts";
import { nodesOf } from "./managerRest.ts";
import { nodesJson } from "./nodesFile.ts";
import { say, until, type Work } from "./work.ts";

/** A manager looks at its files every second. */
const LOOKS_MS = 2500;

/** The keys that count: the declared one, and the one before it until the next one comes. */
export const apiKeys = ({ apiKey, previousApiKey }: { apiKey: string; previousApiKey?: string }): string =>
	`${[apiKey, ...(previousApiKey === undefined ? [] : [previousApiKey])].join(",")}\n`;

export const passwordText = (password: string): string => `${password}\n`;

/** Who is declared, in every manager's file. */
export async function announceNodes(
	{ host }: Work,
	managers: readonly { name: string }[],
	nodes: RedisClusterInputs["nodes"],
): Promise<void> {
	for (const { name } of managers) await host.write(name, NODES_FILE, nodesJson(nodes));
}

/** The declared secrets in every manager's files, until all managers that run have taken them up. */
export async function giveSecrets(work: Work, { managers, nodePassword }: RedisClusterInputs): Promise<void> {
	const { record, host, access } = work;
	const wanted = { [API_KEY_FILE]: apiKeys(record), [PASSWORD_FILE]: passwordText(nodePassword) };
	let changed = record.changingUsers === true;
	for (const { name } of managers) {
		for (const [file, text] of Object.entries(wanted)) {
			if ((await host.read(name, file)) === text) continue;
			await host.write(name, file, text);
			stackLog(access.stack).info({ cluster: access.cluster, manager: name, file }, "secret");
			changed = true;
		}
	}
	if (!changed) return;
	say(work, "let the managers take up their secrets");
	await work.deadline.pause(LOOKS_MS, "the managers");
	await until(work, () => refusing(managers, record.apiKey));
}

/**
 * Who does not serve the declared key, whether it refuses the key or, after too many wrong ones, whoever asks from here;
 * one that does not answer reads it when it starts.
 */
async function refusing(managers: readonly RedisMemberInputs[], apiKey: string): Promise<Lack | undefined> {
	for (const manager of managers) {
		try {
			await nodesOf(manager, apiKey);
		} catch (error) {
			if (!(error instanceof HoldfastError) || error.code === "HF_UNREACHABLE") continue;
			return { why: `${manager.name} to take the new API key` };
		}
	}
	return undefined;
}
