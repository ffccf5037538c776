import type { Entity } from "../../runtime/datastore/entity.ts";
import type { DatastoreSource, EntityPage, KeyRange } from "../../runtime/datastore/source.ts";
import { decodeKey, encodeKey } from "../../runtime/migrate/oldKey.ts";
import { array, bool, double, entity, int, key, nul, ref, text, time } from "../support/datastoreValues.ts";

const KIND = "Plain";
const encoded = (id: number): Buffer => encodeKey({ namespace: "", path: [{ kind: KIND, id: String(id) }] });
const idOf = (bytes: Buffer | undefined, none: number): number => {
	const step = bytes && decodeKey(bytes).path[0];
	return step && "id" in step ? Number(step.id) : none;
};

/** Ten properties of the usual types. */
const made = (id: number): Entity =>
	entity(key(KIND, id), {
		...{ name: text(`name ${id}`), email: text(`user${id}@example.org`), size: int(id * 1000), count: int(id) },
		...{ ratio: double(id / 7), made: time(1_763_000_000 + id, id % 1_000_000), done: bool(id % 2 === 0), note: nul() },
		...{ owner: ref(key(KIND, (id % 1000) + 1)), tags: array(text("a"), text(`t${id % 100}`)) },
	});

export const generated = (count: number): Entity[] => Array.from({ length: count }, (_, at) => made(at + 1));

/** Entities of one kind with the ids from 1, made when they are read: it holds none of them. */
export class GeneratedSource implements DatastoreSource {
	readonly name = "projects/bench/databases/";
	readonly readTime = "2026-11-21T10:00:00Z";
	readonly pinned = true;
	readonly #count: number;

	constructor(count: number) {
		this.#count = count;
	}

	namespaces = async () => [""];
	kinds = async () => [KIND];
	count = async () => this.#count;
	lookup = async (keys: readonly Buffer[]) => keys.map((one) => made(idOf(one, 0)));
	close = async () => {};

	#ids({ from, to }: KeyRange, after: Buffer | undefined, limit: number) {
		const first = after ? idOf(after, 0) + 1 : idOf(from, 1);
		const end = Math.min(idOf(to, this.#count + 1), first + limit);
		return { ids: Array.from({ length: Math.max(0, end - first) }, (_, at) => first + at), done: end < first + limit };
	}

	async page(range: KeyRange, after: Buffer | undefined, limit: number): Promise<EntityPage> {
		const { ids, done } = this.#ids(range, after, limit);
		return { entities: ids.map(made), keys: ids.map(encoded), done };
	}

	async keys(range: KeyRange, after: Buffer | undefined, limit: number) {
		const { ids, done } = this.#ids(range, after, limit);
		return { keys: ids.map(encoded), done };
	}

	async scatter(_namespace: string, _kind: string, wanted: number): Promise<Buffer[]> {
		const step = Math.max(1, Math.ceil(this.#count / wanted));
		return Array.from({ length: Math.floor(this.#count / step) }, (_, at) => encoded((at + 1) * step));
	}
}
