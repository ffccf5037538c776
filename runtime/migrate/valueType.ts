import type { Value } from "../datastore/entity.ts";

const TYPES = [
	"stringValue",
	"integerValue",
	"doubleValue",
	"booleanValue",
	"nullValue",
	"timestampValue",
	"keyValue",
	"arrayValue",
	"entityValue",
	"blobValue",
	"geoPointValue",
] as const;
export type ValueType = (typeof TYPES)[number];

/** The client says the type of what it decoded; of other values it is what is set. */
export const typeOf = (value: Value & { valueType?: ValueType }): ValueType | undefined =>
	value.valueType ?? TYPES.find((type) => value[type] !== undefined && (value[type] !== null || type === "nullValue"));
