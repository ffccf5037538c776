import { setTimeout as sleep } from "node:timers/promises";
import type { Entity } from "../../runtime/datastore/entity.ts";
import { keyOf } from "../../runtime/datastore/key.ts";
import type { DatastoreSource, EntityPage, KeyPage, KeyRange } from "../../runtime/datastore/source.ts";
import { encodeKey } from "../../runtime/migrate/oldKey.ts";

type Verb = "namespaces" | "kinds" | "count" | "page" | "keys" | "lookup" | "scatter";

/** A call to a source; `number` counts the calls of its verb from 1. */
export interface SourceCall {
	verb: Verb;
	number: number;
	range?: KeyRange;
	after?: Buffer;
}

export interface FakeSourceOptions {
	/** @default "projects/demo/databases/" */
	name?: string;
	/** Where it is said to be, as an emulator. @default nowhere: the service */
	emulator?: string;
	/** ISO 8601: which version is read. @default the newest */
	readTime?: string;
	/** False: an emulator that ignores the read time and answers the present. @default a read time is given */
	pinned?: boolean;
	expiresAt?: string;
	/** Whether there are scatter samples. @default true */
	scatter?: boolean;
	/** What a call fails with: a HoldfastError, as the real source throws. @default nothing */
	fault?: (call: SourceCall) => Error | undefined;
	/** Milliseconds that each call takes. @default 0 */
	delay?: number;
}

interface Stored {
	key: Buffer;
	entity: Entity;
}

const encoded = (entity: Entity): Buffer => encodeKey(keyOf(entity.key!));
const byKey = (a: Stored, b: Stored): number => Buffer.compare(a.key, b.key);

/** A Datastore in memory, with its past. `open` reads it as `openSource` reads a real one. */
export class FakeDatastore {
	/** Oldest first. */
	readonly #versions: { at: number; entities: Map<string, Entity> }[];

	constructor(entities: readonly Entity[], at = "1970-01-01T00:00:00Z") {
		this.#versions = [{ at: Date.parse(at), entities: new Map() }];
		this.#put(this.#versions[0]!.entities, entities);
	}

	#put(to: Map<string, Entity>, entities: readonly Entity[]): void {
		for (const entity of entities) to.set(encoded(entity).toString("latin1"), entity);
	}

	/** A change at a moment after all others; older read times do not see it. */
	write(at: string, { put = [], remove = [] }: { put?: readonly Entity[]; remove?: readonly Entity[] }): void {
		const entities = new Map(this.#versions.at(-1)!.entities);
		this.#put(entities, put);
		for (const entity of remove) entities.delete(encoded(entity).toString("latin1"));
		this.#versions.push({ at: Date.parse(at), entities });
	}

	/** In key order. */
	at(readTime?: string): Stored[] {
		const time = readTime === undefined ? Number.POSITIVE_INFINITY : Date.parse(readTime);
		const version = this.#versions.findLast(({ at }) => at <= time);
		return [...(version?.entities ?? [])]
			.map(([key, entity]) => ({ key: Buffer.from(key, "latin1"), entity }))
			.sort(byKey);
	}

	open(options: FakeSourceOptions = {}): FakeSource {
		const pinned = options.pinned ?? options.readTime !== undefined;
		return new FakeSource(this.at(pinned ? options.readTime : undefined), { ...options, pinned });
	}
}

/** A source over entities that do not change, with the faults and delays of its options. Keeps the calls it saw. */
export class FakeSource implements DatastoreSource {
	readonly name: string;
	readonly pinned: boolean;
	readonly readTime?: string;
	readonly expiresAt?: string;
	readonly calls: SourceCall[] = [];
	readonly emulator?: string;
	closed = false;
	readonly #options: FakeSourceOptions;
	readonly #numbers = new Map<Verb, number>();
	/** Namespace -> kind -> entities in key order. */
	readonly #stored = new Map<string, Map<string, Stored[]>>();
	readonly #byKey: Map<string, Entity>;

	constructor(entities: Stored[], options: FakeSourceOptions) {
		this.#options = options;
		this.name = options.name ?? "projects/demo/databases/";
		this.pinned = options.pinned ?? false;
		if (options.readTime !== undefined) this.readTime = options.readTime;
		if (options.expiresAt !== undefined) this.expiresAt = options.expiresAt;
		if (options.emulator !== undefined) this.emulator = options.emulator;
		this.#byKey = new Map(entities.map(({ key, entity }) => [key.toString("latin1"), entity]));
		for (const stored of entities) {
			const { namespace, path } = keyOf(stored.entity.key!);
			const kinds = this.#stored.get(namespace) ?? new Map<string, Stored[]>();
			const kind = kinds.get(path.at(-1)!.kind) ?? [];
			kind.push(stored);
			this.#stored.set(namespace, kinds.set(path.at(-1)!.kind, kind));
		}
	}

	async #call(verb: Verb, about: Omit<SourceCall, "verb" | "number"> = {}): Promise<void> {
		const number = (this.#numbers.get(verb) ?? 0) + 1;
		this.#numbers.set(verb, number);
		const call: SourceCall = { verb, number, ...about };
		this.calls.push(call);
		if (this.#options.delay) await sleep(this.#options.delay);
		const error = this.#options.fault?.(call);
		if (error) throw error;
	}

	#kind(namespace: string, kind: string): Stored[] {
		return this.#stored.get(namespace)?.get(kind) ?? [];
	}

	async #take(verb: Verb, range: KeyRange, after: Buffer | undefined, limit: number) {
		await this.#call(verb, { range, ...(after && { after }) });
		const all = this.#kind(range.namespace, range.kind);
		const inRange = (key: Buffer): boolean =>
			(after ? Buffer.compare(key, after) > 0 : !range.from || Buffer.compare(key, range.from) >= 0) &&
			(!range.to || Buffer.compare(key, range.to) < 0);
		const first = firstAt(all, after ?? range.from);
		const found = all.slice(first, first + limit + 1).filter(({ key }) => inRange(key));
		// As the service does: whether there is more is known only when a page comes back short.
		return { found: found.slice(0, limit), done: found.length < limit };
	}

	async namespaces(): Promise<string[]> {
		await this.#call("namespaces");
		return [...this.#stored.keys()];
	}

	async kinds(namespace: string): Promise<string[]> {
		await this.#call("kinds");
		const kinds = [...(this.#stored.get(namespace)?.keys() ?? [])];
		return kinds.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
	}

	async count(namespace: string, kind: string): Promise<number> {
		await this.#call("count");
		return this.#kind(namespace, kind).length;
	}

	async page(range: KeyRange, after: Buffer | undefined, limit: number): Promise<EntityPage> {
		const { found, done } = await this.#take("page", range, after, limit);
		return { entities: found.map(({ entity }) => entity), keys: found.map(({ key }) => key), done };
	}

	async keys(range: KeyRange, after: Buffer | undefined, limit: number): Promise<KeyPage> {
		const { found, done } = await this.#take("keys", range, after, limit);
		return { keys: found.map(({ key }) => key), done };
	}

	async lookup(keys: readonly Buffer[]): Promise<(Entity | undefined)[]> {
		await this.#call("lookup");
		return keys.map((key) => this.#byKey.get(key.toString("latin1")));
	}

	async scatter(namespace: string, kind: string, wanted: number): Promise<Buffer[]> {
		await this.#call("scatter");
		if (this.#options.scatter === false) return [];
		const all = this.#kind(namespace, kind);
		const step = Math.max(1, Math.ceil(all.length / wanted));
		return all.filter((_, at) => at % step === step - 1).map(({ key }) => key);
	}

	async close(): Promise<void> {
		this.closed = true;
	}
}

/** Where the first entity at or after `key` stands. */
function firstAt(all: readonly Stored[], key: Buffer | undefined): number {
	if (!key) return 0;
	let [low, high] = [0, all.length];
	while (low < high) {
		const middle = (low + high) >> 1;
		if (Buffer.compare(all[middle]!.key, key) < 0) low = middle + 1;
		else high = middle;
	}
	return low;
}
