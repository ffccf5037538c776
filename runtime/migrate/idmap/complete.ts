import { createHash } from "node:crypto";
import { closeSync, createReadStream } from "node:fs";
import { HoldfastError } from "../../errors.ts";
import { BlockCache } from "./blockCache.ts";
import { chainOf } from "./chain.ts";
import { damaged } from "./format.ts";
import { type Link, type Manifest, manifestText, parseInfo, segmentName } from "./manifest.ts";
import type { MapPlace } from "./place.ts";
import { Segment } from "./segment.ts";
import { openSegmentFile } from "./segmentFile.ts";

/** SHA-256 (hex) of a file's bytes. */
export async function fileDigest(path: string): Promise<string> {
	const digest = createHash("sha256");
	for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) digest.update(chunk as Buffer);
	return digest.digest("hex");
}

/**
 * Writes the manifest that a run which ended between two steps did not come to: the segment was there, so its ids may be
 * known to somebody. The manifest follows from the file alone, so two that complete it write the same. `links`: those
 * that are there; returned with those that were completed.
 */
export async function complete(place: MapPlace, links: Link[]): Promise<Link[]> {
	for (let chain = links; ; chain = await chainOf(place)) {
		const path = await place.unfinished(chain.length);
		if (path === undefined) return chain;
		const manifest = await manifestOf(path);
		if (manifest.segment !== chain.length || manifest.previous !== (chain.at(-1)?.hash ?? null))
			throw new HoldfastError(
				"HF_DAMAGED",
				`${segmentName(chain.length)}.ids of ${place.name} belongs to another map`,
				{
					next: "move it away, or restore the manifests that were there",
				},
			);
		await place.putManifest(chain.length, manifestText(manifest));
	}
}

/** The manifest of a segment's file, all of whose blocks are read and checked. */
async function manifestOf(path: string): Promise<Manifest> {
	const { file, size, tail, info } = openSegmentFile(path);
	closeSync(file);
	const parsed = parseInfo(info);
	if (!parsed) throw damaged(path, "what it says about itself is no manifest");
	const index = tail.digest.toString("hex");
	const manifest = { ...parsed, bytes: size, sha256: await fileDigest(path), index };
	const segment = new Segment(path, manifest, new BlockCache(0));
	try {
		segment.checkBlocks();
	} finally {
		segment.close();
	}
	return manifest;
}
