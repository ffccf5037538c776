import { LocalHost } from "../components/platform/local.ts";
import { localIdMaps, localMigrations, mapsOf } from "./localMigrations.ts";
import { localMongo } from "./localMongo.ts";
import { localPostgres } from "./localPostgres.ts";
import { localRedis } from "./localRedis.ts";
import type { LocalSettings } from "./settings.ts";

/** The embedded default: everything on this machine, no cloud, no containers, no root. */
export function local(settings: LocalSettings) {
	const { stack, protect, mongo, postgres, redis, idMaps, migrations, secrets } = settings;
	const isHere = [postgres, redis].some(Boolean) || (mongo !== undefined && mongo.existing === undefined);
	const adopt = mongo?.adopt !== undefined || postgres?.adopt !== undefined || redis?.adopt === true;
	const supervisor = isHere ? new LocalHost(stack, { stack, run: "running", adopt }) : undefined;
	const context = { stack, protect, ...(supervisor ? { supervisor } : {}) };
	const set = mongo && localMongo(mongo, { ...context, secrets: secrets.mongo });
	const maps = localIdMaps(idMaps, { protect, secrets: secrets.idMaps });
	return {
		...(set ? { mongo: set.told } : {}),
		...(postgres ? { postgres: localPostgres(postgres, { ...context, secrets: secrets.postgres }) } : {}),
		...(redis ? { redis: localRedis(redis, { ...context, secrets: secrets.redis }) } : {}),
		...(Object.keys(maps).length > 0 ? { idMaps: mapsOf(maps) } : {}),
		...(set && Object.keys(migrations).length > 0
			? { migrations: localMigrations(migrations, maps, set.replicaSet) }
			: {}),
	};
}
