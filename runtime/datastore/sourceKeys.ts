import { decodeKey, encodeKey } from "../migrate/oldKey.ts";
import type { DatastoreSource, KeyPage } from "./source.ts";

/** Keys that are asked for at once. */
const PAGE = 1_000;

/** Which entities of a source are meant. `all`: what there is, without what the service keeps for itself. */
export interface Chosen {
	namespaces: "all" | readonly string[];
	kinds: "all" | readonly string[];
}

/** The namespaces and kinds that are meant, in order. */
async function chosenKinds(
	source: DatastoreSource,
	{ namespaces, kinds }: Chosen,
): Promise<{ namespace: string; kind: string }[]> {
	const found: { namespace: string; kind: string }[] = [];
	for (const namespace of namespaces === "all" ? await source.namespaces() : namespaces)
		for (const kind of kinds === "all" ? await source.kinds(namespace) : kinds) found.push({ namespace, kind });
	return found;
}

/**
 * Encoded keys of all entities that are meant and of all their ancestors, a page at a time. An ancestor may come more
 * than once, need not exist as an entity, and may be of a kind that was not chosen. Sorted within a kind only.
 */
export async function* sourceKeys(source: DatastoreSource, chosen: Chosen): AsyncGenerator<Buffer[]> {
	for (const range of await chosenKinds(source, chosen)) {
		let last: Buffer | undefined;
		for (let page: KeyPage | undefined; !page?.done; ) {
			page = await source.keys(range, page?.keys.at(-1), PAGE);
			const keys: Buffer[] = [];
			for (const key of page.keys) {
				for (const ancestor of newAncestors(key, last)) keys.push(ancestor);
				keys.push(key);
				last = key;
			}
			yield keys;
		}
	}
}

/** Ancestors of a key, the eldest first, without those that the key before it has too. */
function newAncestors(key: Buffer, before: Buffer | undefined): Buffer[] {
	const { namespace, path } = decodeKey(key);
	return path
		.slice(0, -1)
		.map((_, at) => encodeKey({ namespace, path: path.slice(0, at + 1) }))
		.filter((ancestor) => !before?.subarray(0, ancestor.length).equals(ancestor));
}
