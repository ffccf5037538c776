import { createHash, randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { HoldfastError } from "../errors.ts";
import type { EtcdGateway } from "./gateway.ts";
import { EtcdError, refused } from "./transport.ts";

const SNAPSHOT_MS = 120_000;
/** The last bytes of a snapshot are the SHA-256 of all before. */
const TRAILER = 32;

/**
 * Saves the database of the first endpoint in `at` that answers, in the form that `etcdutl snapshot restore` takes.
 * The file (0600) is replaced only by a whole one whose hash is right; its size in bytes.
 */
export async function saveSnapshot(gateway: EtcdGateway, path: string, at?: readonly string[]): Promise<number> {
	const temporary = join(dirname(path), `.${randomUUID()}.snapshot`);
	try {
		const body = await gateway.stream("maintenance/snapshot", {}, { at, ms: SNAPSHOT_MS });
		const size = await receive(body, temporary);
		await rename(temporary, path);
		return size;
	} catch (cause) {
		await rm(temporary, { force: true });
		if (cause instanceof HoldfastError) throw cause;
		throw new EtcdError("HF_UNREACHABLE", "the snapshot of etcd broke off before its end", {
			outcome: "unknown",
			cause,
		});
	}
}

async function receive(body: AsyncIterable<Buffer>, path: string): Promise<number> {
	const file = await open(path, "wx", 0o600);
	try {
		const hash = createHash("sha256");
		let size = 0;
		let held: Buffer = Buffer.alloc(0);
		for await (const blob of blobs(body)) {
			await file.writeFile(blob);
			size += blob.length;
			const known = Buffer.concat([held, blob]);
			const end = Math.max(0, known.length - TRAILER);
			hash.update(known.subarray(0, end));
			held = known.subarray(end);
		}
		if (size <= TRAILER || !hash.digest().equals(held))
			throw new HoldfastError("HF_UNREACHABLE", `the snapshot of etcd is not whole: its hash is wrong`);
		await file.sync();
		return size;
	} finally {
		await file.close();
	}
}

/** The parts of the answer, one JSON object a line. */
async function* blobs(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
	let rest = "";
	for await (const chunk of body) {
		const lines = (rest + chunk.toString("latin1")).split("\n");
		rest = lines.pop()!;
		for (const line of lines) if (line.trim() !== "") yield blobOf(line);
	}
	if (rest.trim() !== "") yield blobOf(rest);
}

function blobOf(line: string): Buffer {
	const { result, error } = JSON.parse(line) as { result?: { blob?: string }; error?: object };
	if (error) throw refused("a snapshot", 500, line);
	return Buffer.from(result?.blob ?? "", "base64");
}
