import { createHash, randomBytes } from "node:crypto";
import type { Birth } from "./record.ts";

/**
 * Who a cluster will be that begins with one voter at `peerURL`: etcd derives both ids from the address and the token
 * (computeMemberID and genID of etcd's membership package). So the proof that it is ours can be kept before it exists.
 */
export function birthOf(peerURL: string, token: string): Birth {
	const member = createHash("sha1").update(`${peerURL}${token}`).digest().subarray(0, 8);
	const cluster = createHash("sha1").update(member).digest().subarray(0, 8);
	return { token, clusterId: hexOf(uint64(cluster)), memberId: hexOf(uint64(member)) };
}

const uint64 = (bytes: Buffer): bigint => bytes.readBigUInt64BE();

const hexOf = (id: bigint): string => id.toString(16);

/** A token that no other cluster bears, whatever addresses it takes over. */
export const newToken = (cluster: string): string => `${cluster}-${randomBytes(12).toString("hex")}`;

/** An id as JSON has it (decimal text) -> as people read it; `""` for none. */
export const hexId = (decimal: string | undefined): string =>
	decimal === undefined || decimal === "0" ? "" : hexOf(BigInt(decimal));

/** The other way round. */
export const decimalId = (hex: string): string => BigInt(`0x${hex}`).toString();
