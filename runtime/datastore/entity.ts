import type { protos } from "@google-cloud/datastore-api";

/** Messages of the Datastore v1 API as the raw client decodes them: 64-bit integers are decimal texts. */
export type Entity = protos.google.datastore.v1.IEntity;
export type Value = protos.google.datastore.v1.IValue;
export type Key = protos.google.datastore.v1.IKey;
export type { protos };
