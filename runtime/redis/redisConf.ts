import { type Address, FOLDER } from "../platform/model.ts";
import { ACL_FILE } from "./aclFile.ts";
import type { RedisDeclared } from "./arguments.ts";

/** Path of a node's configuration in its folder. A change of it is taken up by a restart. */
export const REDIS_FILE = "conf/redis/redis.conf";

const MB = 1024 * 1024;

/**
 * redis.conf of one node, for Redis 6.2 to 8: everything in an append-only file, no snapshots, nothing thrown away when
 * memory is full, and nobody in but the users of the ACL file.
 */
export function redisConf(
	{ host, port }: Address,
	{ appendfsync, memoryMB, valueBytes }: Pick<RedisDeclared, "appendfsync" | "memoryMB" | "valueBytes">,
): string {
	return `# Written by Holdfast: changes by hand are lost.
bind ${host}
port ${port}
protected-mode yes
aclfile "${FOLDER}/${ACL_FILE}"
dir "${FOLDER}/data"
logfile "${FOLDER}/log/redis.log"
loglevel notice
daemonize no
databases 1
tcp-keepalive 60
timeout 0
maxclients 1000
maxmemory ${memoryMB * MB}
maxmemory-policy noeviction
appendonly yes
appendfsync ${appendfsync}
no-appendfsync-on-rewrite no
aof-load-truncated yes
save ""
lazyfree-lazy-expire yes
lazyfree-lazy-user-del yes
proto-max-bulk-len ${Math.max(64 * MB, 2 * valueBytes)}
client-output-buffer-limit normal 512mb 128mb 60
`;
}
