import { type Address, FOLDER } from "../platform/model.ts";
import { NODE_USER } from "./aclFile.ts";
import type { RedisDeclared } from "./arguments.ts";

const MEBIBYTE = 1024 * 1024;

/** Path of a manager's settings in its folder. A change of it is taken up by a restart. */
export const MANAGER_FILE = "conf/manager/manager.json";
/** Who is declared as a node: read again by a running manager when it changes. */
export const NODES_FILE = "live/nodes.json";
/** The API keys that count, newest first, separated by commas: read again by a running manager, like the next. */
export const API_KEY_FILE = "live/api-key";
/** The password of the nodes' user. */
export const PASSWORD_FILE = "live/redis-password";

/** Settings of one manager, by the names that it also knows as environment variables. Holds no secret, only where they lie. */
export function managerJson(cluster: string, { host, port }: Address, declared: RedisDeclared): string {
	const { valueBytes, tombstoneGraceSeconds, onStale, maxSkewMs, timeoutMs, roundSeconds, rateLimit } = declared;
	const settings = {
		APP_NAME: cluster,
		HOST: host,
		PORT: port,
		REDIS_NODES_FILE: `${FOLDER}/${NODES_FILE}`,
		REDIS_USERNAME: NODE_USER,
		REDIS_PASSWORD_FILE: `${FOLDER}/${PASSWORD_FILE}`,
		API_KEY_FILE: `${FOLDER}/${API_KEY_FILE}`,
		LOG_FILE: `${FOLDER}/log/manager.log`,
		MAX_VALUE_BYTES: valueBytes,
		MAX_BATCH_BYTES: Math.max(16 * MEBIBYTE, valueBytes),
		TOMBSTONE_GRACE_SECONDS: tombstoneGraceSeconds,
		ON_STALE: onStale,
		MAX_SKEW_MS: maxSkewMs,
		WRITE_TIMEOUT_MS: timeoutMs,
		READ_TIMEOUT_MS: timeoutMs,
		ROUND_SECONDS: roundSeconds,
		RATE_LIMIT_PER_SECOND: rateLimit,
	};
	return `${JSON.stringify(settings, null, "\t")}\n`;
}
