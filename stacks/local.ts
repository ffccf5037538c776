import { LocalHost } from "../components/platform/local.ts";
import { localMongo } from "./localMongo.ts";
import { localPostgres } from "./localPostgres.ts";
import { localRedis } from "./localRedis.ts";
import type { LocalSettings } from "./settings.ts";

/** The embedded default: everything on this machine, no cloud, no containers, no root. */
export function local({ stack, protect, mongo, postgres, redis, secrets }: LocalSettings) {
	const isHere = [postgres, redis].some(Boolean) || (mongo !== undefined && mongo.existing === undefined);
	const adopt = mongo?.adopt !== undefined || postgres?.adopt !== undefined || redis?.adopt === true;
	const supervisor = isHere ? new LocalHost(stack, { stack, run: "running", adopt }) : undefined;
	const context = { stack, protect, ...(supervisor ? { supervisor } : {}) };
	return {
		...(mongo ? { mongo: localMongo(mongo, { ...context, secrets: secrets.mongo }) } : {}),
		...(postgres ? { postgres: localPostgres(postgres, { ...context, secrets: secrets.postgres }) } : {}),
		...(redis ? { redis: localRedis(redis, { ...context, secrets: secrets.redis }) } : {}),
	};
}
