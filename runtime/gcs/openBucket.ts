import type { Readable } from "node:stream";
import { HoldfastError } from "../errors.ts";
import type { BucketPlace } from "../migrate/model.ts";
import type { Bucket, ListPage, ObjectInfo, Preconditions, Rewrite } from "./bucket.ts";
import { applicationDefault, none } from "./credentials.ts";
import { download } from "./download.ts";
import { ObjectGone } from "./gone.ts";
import type { RepeatOptions } from "./repeat.ts";
import { FIELDS, infoOf, keptOf, type Resource } from "./resource.ts";
import { Transport } from "./transport.ts";
import { upload } from "./upload.ts";

const SERVICE = "https://storage.googleapis.com";

export interface BucketOptions extends RepeatOptions {
	/** Told of every 429 and 503. */
	onBusy?: () => void;
}

/** A bucket by its name, at Google or at an emulator (STORAGE_EMULATOR_HOST); nothing is called yet. */
export function openBucket(place: Pick<BucketPlace, "bucket" | "endpoint">, options: BucketOptions = {}): Bucket {
	const emulator = place.endpoint ?? emulatorOf(process.env.STORAGE_EMULATOR_HOST);
	const credentials = emulator === undefined ? applicationDefault() : none;
	const transport = new Transport({ ...options, endpoint: emulator ?? SERVICE, credentials });
	const name = emulator === undefined ? `gs://${place.bucket}` : `${transport.endpoint} gs://${place.bucket}`;
	return new JsonBucket(name, place.bucket, transport);
}

function emulatorOf(host: string | undefined): string | undefined {
	if (host === undefined || host === "") return undefined;
	return host.includes("://") ? host : `http://${host}`;
}

const pathOf = (bucket: string, object?: string) =>
	`/b/${encodeURIComponent(bucket)}/o${object === undefined ? "" : `/${encodeURIComponent(object)}`}`;

class JsonBucket implements Bucket {
	readonly name: string;
	readonly #bucket: string;
	readonly #transport: Transport;

	constructor(name: string, bucket: string, transport: Transport) {
		this.name = name;
		this.#bucket = bucket;
		this.#transport = transport;
	}

	async list(options: Parameters<Bucket["list"]>[0]): Promise<ListPage> {
		const { value } = await this.#transport.json<{ items?: Resource[]; nextPageToken?: string }>({
			what: `list ${this.name}`,
			method: "GET",
			path: `/storage/v1${pathOf(this.#bucket)}`,
			query: { ...options, fields: `nextPageToken,items(${FIELDS})` },
		});
		if (value === undefined) throw new HoldfastError("HF_REJECTED", `there is no bucket ${this.name}`);
		const { items = [], nextPageToken } = value;
		return { objects: items.map(infoOf), ...(nextPageToken && { nextPageToken }) };
	}

	async stat(object: string): Promise<ObjectInfo | undefined> {
		const { value } = await this.#transport.json<Resource>({
			what: `look at ${object} of ${this.name}`,
			method: "GET",
			path: `/storage/v1${pathOf(this.#bucket, object)}`,
			query: { fields: FIELDS },
		});
		return value && infoOf(value);
	}

	read(object: string, { generation, start }: { generation: string; start?: number }): Promise<Readable> {
		const path = `/storage/v1${pathOf(this.#bucket, object)}`;
		return download(this.#transport, { path, object, bucket: this.name, generation, start });
	}

	write(object: string, contents: Readable | Buffer, info: Partial<ObjectInfo>, when: Preconditions) {
		return upload(this.#transport, { bucket: this.#bucket, object, contents, info, when });
	}

	async rewrite(
		source: { object: string; generation: string },
		target: { bucket: string; object: string },
		info: Partial<ObjectInfo>,
		when: Preconditions,
		token?: string,
	): Promise<Rewrite | undefined> {
		const { status, value } = await this.#transport.json<Rewritten>({
			what: `copy ${source.object} of ${this.name} to ${target.object} of gs://${target.bucket}`,
			method: "POST",
			path: `/storage/v1${pathOf(this.#bucket, source.object)}/rewriteTo${pathOf(target.bucket, target.object)}`,
			query: {
				ifSourceGenerationMatch: source.generation,
				ifGenerationMatch: when.ifGenerationMatch,
				rewriteToken: token,
				fields: `done,rewriteToken,totalBytesRewritten,resource(${FIELDS})`,
			},
			headers: { "content-type": "application/json; charset=UTF-8" },
			// A body that is not empty replaces all of the metadata, so it always has all of it.
			body: JSON.stringify(keptOf(info)),
		});
		if (status === 412) return undefined;
		if (status === 404) throw new ObjectGone(source.object, this.name);
		if (value?.resource !== undefined) return { done: true, object: infoOf(value.resource) };
		return { done: false, token: value?.rewriteToken ?? "", written: Number(value?.totalBytesRewritten ?? 0) };
	}

	close(): Promise<void> {
		return this.#transport.close();
	}
}

interface Rewritten {
	done?: boolean;
	rewriteToken?: string;
	totalBytesRewritten?: string;
	resource?: Resource;
}
