import type { ObjectInfo } from "./bucket.ts";

/** What a copy keeps besides the bytes; the service calls these fields the same. */
const KEPT = [
	...(["contentType", "cacheControl", "contentDisposition", "contentEncoding", "contentLanguage"] as const),
	...(["storageClass", "customTime", "metadata"] as const),
];
const OWN = ["name", "generation", "size", "crc32c"] as const;
type Kept = Pick<ObjectInfo, (typeof KEPT)[number]>;

/** Asks the service for these only. */
export const FIELDS = [...OWN, ...KEPT].join(",");

/** An object resource of the JSON API, as far as it is read. */
export type Resource = Omit<ObjectInfo, "size"> & { size?: string };

export function infoOf(resource: Resource): ObjectInfo {
	const { name, generation, crc32c, size = "0" } = resource;
	return { name, generation, crc32c, size: Number(size), ...keptOf(resource) };
}

/** What of an object a copy keeps. Fields that are absent stay absent. */
export function keptOf(info: Partial<ObjectInfo> | Resource): Kept {
	const given = KEPT.filter((field) => info[field] !== undefined && info[field] !== "");
	return Object.fromEntries(given.map((field) => [field, info[field]]));
}
