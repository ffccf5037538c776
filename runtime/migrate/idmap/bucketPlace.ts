import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { chmod, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Transform } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { HoldfastError } from "../../errors.ts";
import { failpoint } from "../../failpoint.ts";
import { isThere } from "../../files.ts";
import type { Bucket } from "../../gcs/bucket.ts";
import { openBucket } from "../../gcs/openBucket.ts";
import { home, privateFolder } from "../../home.ts";
import { damaged } from "./format.ts";
import { segmentName } from "./manifest.ts";
import type { MapPlace } from "./place.ts";
import { inWorkshop } from "./workshop.ts";

const ABSENT = { ifGenerationMatch: "0" };

/**
 * A prefix of a bucket. Objects are created where there is none and never replaced; segments are kept below the home
 * folder under their SHA-256, once for all maps.
 */
export function bucketPlace(location: string, endpoint?: string): MapPlace {
	const [, name, path = ""] = /^gs:\/\/([^/]+)\/?(.*)$/.exec(location) ?? [];
	if (name === undefined)
		throw new HoldfastError("HF_SETTING", `${location} names no bucket`, { next: "write gs://bucket/prefix" });
	const prefix = path === "" || path.endsWith("/") ? path : `${path}/`;
	const bucket = openBucket({ bucket: name, ...(endpoint !== undefined && { endpoint }) });
	const at = (segment: number, suffix: string) => `${prefix}${segmentName(segment)}.${suffix}`;
	const kept = join(home(), "idmaps");
	const keptAs = (digest: string) => join(kept, `${digest}.ids`);
	return {
		name: `gs://${name}/${prefix}`,
		workshop: () => privateFolder(kept),
		async manifest(segment) {
			const found = await bucket.stat(at(segment, "json"));
			return found && (await text(await bucket.read(found.name, { generation: found.generation })));
		},
		async file({ segment, sha256 }) {
			if (await isThere(keptAs(sha256))) return keptAs(sha256);
			const found = await bring(bucket, at(segment, "ids"), kept);
			if (found?.sha256 === sha256) return found.path;
			if (found) await rm(found.path, { force: true });
			throw damaged(`gs://${name}/${at(segment, "ids")}`, found ? "its SHA-256 does not fit" : "it is missing");
		},
		unfinished: async (segment) => (await bring(bucket, at(segment, "ids"), kept))?.path,
		async put(segment, path, { sha256 }) {
			const contentType = "application/octet-stream";
			const isFirst =
				(await bucket.write(at(segment, "ids"), createReadStream(path), { contentType }, ABSENT)) !== undefined;
			if (isFirst) await rename(path, keptAs(sha256));
			await failpoint("idmap/renamed");
			return isFirst;
		},
		async putManifest(segment, manifest) {
			await bucket.write(at(segment, "json"), Buffer.from(manifest), { contentType: "application/json" }, ABSENT);
		},
		close: () => bucket.close(),
	};
}

/** Brings an object here, under its SHA-256. `undefined`: there is none. */
async function bring(
	bucket: Bucket,
	object: string,
	folder: string,
): Promise<{ path: string; sha256: string } | undefined> {
	const found = await bucket.stat(object);
	if (!found) return undefined;
	return inWorkshop(await privateFolder(folder), async (work) => {
		const temporary = join(work, "segment");
		const digest = createHash("sha256");
		const hashing = new Transform({
			transform(chunk: Buffer, _encoding, done) {
				digest.update(chunk);
				done(null, chunk);
			},
		});
		const contents = await bucket.read(object, { generation: found.generation });
		await pipeline(contents, hashing, createWriteStream(temporary, { flags: "wx", mode: 0o600, flush: true }));
		const sha256 = digest.digest("hex");
		await chmod(temporary, 0o444);
		const path = join(folder, `${sha256}.ids`);
		await rename(temporary, path);
		return { path, sha256 };
	});
}
