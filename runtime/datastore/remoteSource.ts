import { HoldfastError } from "../errors.ts";
import { decodeKey, encodeKey, keyText } from "../migrate/oldKey.ts";
import type { Entity } from "./entity.ts";
import { keyOf } from "./key.ts";
import { PageSizes } from "./pageSize.ts";
import { keyOfPlace, rangeQuery, scatterQuery } from "./query.ts";
import type { Reader } from "./reader.ts";
import type { DatastoreSource, EntityPage, KeyPage, KeyRange } from "./source.ts";

/** Keys that a walk asks for at once. */
const WALK = 1_000;

export interface RemoteOptions extends Pick<DatastoreSource, "name" | "emulator"> {
	pinned: boolean;
	expiresAt?: string;
	close: () => Promise<void>;
}

/** A Datastore behind the raw client. */
export class RemoteSource implements DatastoreSource {
	readonly name: string;
	readonly pinned: boolean;
	readonly readTime?: string;
	readonly expiresAt?: string;
	readonly emulator?: string;
	readonly close: () => Promise<void>;
	readonly #reader: Reader;
	readonly #sizes = new PageSizes();

	constructor(reader: Reader, { name, emulator, pinned, expiresAt, close }: RemoteOptions) {
		const { readTime } = reader.place;
		this.#reader = reader;
		this.name = name;
		this.pinned = pinned;
		this.close = close;
		if (readTime !== undefined) this.readTime = readTime;
		if (expiresAt !== undefined) this.expiresAt = expiresAt;
		if (emulator !== undefined) this.emulator = emulator;
	}

	async namespaces(): Promise<string[]> {
		return this.#names("", "__namespace__", "namespaces");
	}

	async kinds(namespace: string): Promise<string[]> {
		return (await this.#names(namespace, "__kind__", "kinds")).filter((kind) => !kind.startsWith("__"));
	}

	/** The last name of each key; the default namespace has none, its key ends with the id 1. */
	async #names(namespace: string, kind: string, what: string): Promise<string[]> {
		const names: string[] = [];
		try {
			for (let page: KeyPage | undefined; !page?.done; ) {
				page = await this.#read({ namespace, kind }, page?.keys.at(-1), WALK, true);
				const steps = page.keys.map((key) => decodeKey(key).path.at(-1)!);
				names.push(...steps.map((step) => ("name" in step ? step.name : "")));
			}
		} catch (error) {
			if (!(error instanceof HoldfastError) || error.code !== "HF_REJECTED") throw error;
			throw new HoldfastError("HF_REJECTED", `${this.name} does not tell its ${what}`, {
				next: `list the ${what} in the declaration; the Firestore emulator in Datastore mode, for one, cannot tell them`,
				cause: error,
			});
		}
		return names;
	}

	async count(namespace: string, kind: string): Promise<number> {
		const counted = await this.#reader.count(`number of ${kind}`, namespace, kind);
		if (counted !== undefined) return counted;
		let total = 0;
		for (let page: KeyPage | undefined; !page?.done; total += page.keys.length)
			page = await this.keys({ namespace, kind }, page?.keys.at(-1), WALK);
		return total;
	}

	async page(range: KeyRange, after: Buffer | undefined, limit: number): Promise<EntityPage> {
		const page = await this.#read(range, after, this.#sizes.of(range.kind, limit), false);
		this.#sizes.learn(range.kind, page.entities);
		return page;
	}

	async keys(range: KeyRange, after: Buffer | undefined, limit: number): Promise<KeyPage> {
		const { keys, done } = await this.#read(range, after, limit, true);
		return { keys, done };
	}

	async #read(range: KeyRange, after: Buffer | undefined, limit: number, keysOnly: boolean): Promise<EntityPage> {
		const what = `${keysOnly ? "keys" : "page"} of ${range.kind}`;
		const query = rangeQuery(this.#reader.place, range, after, limit, keysOnly);
		const isMetadata = range.kind.startsWith("__");
		const batch = await this.#reader.batch(what, range.namespace, query, isMetadata);
		const entities: Entity[] = [];
		const keys: Buffer[] = [];
		let last = after;
		for (const { entity } of batch.entityResults ?? []) {
			const key = encoded(what, entity!);
			if (last && Buffer.compare(last, key) >= 0) throw outOfOrder(what, key);
			entities.push(entity!);
			keys.push(key);
			last = key;
		}
		// "After the limit" says nothing about what comes: only "no more", or nothing at all, is an end.
		const done = batch.moreResults === "NO_MORE_RESULTS" || keys.length === 0;
		return { entities, keys, done };
	}

	async lookup(keys: readonly Buffer[]): Promise<(Entity | undefined)[]> {
		if (keys.length === 0) return [];
		const distinct = new Map(keys.map((key) => [key.toString("latin1"), key]));
		const wanted = [...distinct.values()].map((key) => keyOfPlace(this.#reader.place, key));
		const found = await this.#reader.lookup(`lookup of ${keys.length} keys`, wanted);
		const byKey = new Map(found.map((entity) => [encodeKey(keyOf(entity.key!)).toString("latin1"), entity]));
		return keys.map((key) => byKey.get(key.toString("latin1")));
	}

	async scatter(namespace: string, kind: string, wanted: number): Promise<Buffer[]> {
		const entities = await this.#reader.all(`samples of ${kind}`, namespace, scatterQuery(kind, wanted));
		return entities.map(({ key }) => encodeKey(keyOf(key!))).sort(Buffer.compare);
	}
}

/** Datastores of old may hold an id below zero, which has no place in our order. */
function encoded(what: string, { key }: Entity): Buffer {
	try {
		return encodeKey(keyOf(key!));
	} catch (cause) {
		throw new HoldfastError("HF_REJECTED", `${what}: an entity has a key that cannot be ours`, {
			next: "give it a key with ids from 1 to 2^63 - 1, or leave its kind out",
			cause,
		});
	}
}

/** Ranges are divided by our order, and pages resume by it: in another one entities would be read twice or not at all. */
const outOfOrder = (what: string, key: Buffer): HoldfastError =>
	new HoldfastError("HF_REJECTED", `${what}: the server's order is not ours at ${keyText(decodeKey(key))}`, {
		next: "the Datastore emulator orders names by UTF-16: use the Firestore emulator in Datastore mode, which orders as the service does",
	});
