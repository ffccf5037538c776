import root from "@google-cloud/datastore-api/build/protos/protos.js";
import { HoldfastError } from "../errors.ts";
import type { Entity } from "./entity.ts";

const messages = root.google.datastore.v1;

/** How the client decodes (google-gax): what is read back must look like what was read from the service. */
const decoded = { longs: String, enums: String, defaults: true, oneofs: true };

/** An entity as protobuf bytes, with all that the service told about it. For dead letters. */
export function rawBytes(entity: Entity): Buffer {
	return Buffer.from(messages.Entity.encode(messages.Entity.fromObject(entity)).finish());
}

/** What `rawBytes` wrote, as the client would have decoded it. HF_DAMAGED for other bytes. */
export function entityOf(bytes: Uint8Array): Entity {
	try {
		return messages.Entity.toObject(messages.Entity.decode(bytes), decoded) as Entity;
	} catch (cause) {
		throw new HoldfastError("HF_DAMAGED", "the bytes of an entity are cut off or altered", { cause });
	}
}
