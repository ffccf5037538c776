import { pathText } from "./problem.ts";
import { type RootTree, type Tree, treeOf } from "./tree.ts";

const MOST = 10;
/** Microseconds up to which the size of an error tells what went wrong, and nothing about the time. */
const TELLING = 1_000_000n;

const NOUNS: Record<Exclude<Tree["tag"], "foreign">, string> = {
	absent: "nothing",
	null: "null",
	true: "boolean",
	false: "boolean",
	integer: "integer",
	timestamp: "timestamp",
	double: "double",
	text: "text",
	blob: "blob",
	objectId: "object id",
	point: "geo point",
	reference: "reference",
	kept: "old key",
	array: "array",
	entity: "embedded entity",
};
/** BSON types that somebody else may have written in place of ours. */
const FOREIGN: Record<number, string> = {
	5: "binary of another subtype",
	6: "undefined",
	11: "regular expression",
	16: "32-bit integer",
	17: "BSON timestamp",
	19: "128-bit decimal",
};
const noun = (tree: Tree): string =>
	tree.tag === "foreign" ? (FOREIGN[tree.type] ?? `BSON type ${tree.type}`) : NOUNS[tree.tag];

type Path = (string | number)[];

class Finder {
	readonly texts: string[] = [];

	add(path: Path, text: string): void {
		if (this.texts.length < MOST) this.texts.push(`${pathText(path)}: ${text}`);
	}

	fields(source: [string, Tree][], target: [string, Tree][], path: Path): void {
		const left = new Map(target);
		for (const [index, [name]] of target.entries()) {
			if (name === target[index - 1]?.[0]) this.add([...path, name], "there twice");
		}
		for (const [name, tree] of source) {
			const other = left.get(name);
			left.delete(name);
			if (other === undefined) this.add([...path, name], "missing");
			else this.compare(tree, other, [...path, name]);
		}
		for (const name of left.keys()) this.add([...path, name], "not in the source");
	}

	compare(source: Tree, target: Tree, path: Path): void {
		if (noun(source) !== noun(target)) {
			if (source.tag === "absent") this.add(path, "not in the source");
			else if (target.tag === "absent") this.add(path, "missing");
			else this.add(path, `${noun(source)} became ${noun(target)}`);
			return;
		}
		if (source.tag === "entity" && target.tag === "entity") {
			this.compare(source.key, target.key, [...path, "_key"]);
			this.fields(source.fields, target.fields, path);
		} else if (source.tag === "array" && target.tag === "array") {
			this.#items(source.items, target.items, path);
		} else if (source.tag === "reference" && target.tag === "reference") {
			if (!source.kind.equals(target.kind)) this.add([...path, "kind"], "text differs");
			this.compare(source.id, target.id, [...path, "id"]);
		} else if (source.tag === "kept" && target.tag === "kept") {
			this.compare(source.parts, target.parts, path);
		} else {
			const text = leaf(source, target);
			if (text !== undefined) this.add(path, text);
		}
	}

	#items(source: Tree[], target: Tree[], path: Path): void {
		if (source.length !== target.length) this.add(path, `${source.length} elements became ${target.length}`);
		for (const [index, item] of source.entries()) {
			const other = target[index];
			if (other !== undefined) this.compare(item, other, [...path, index]);
		}
	}
}

/** What two values of one type differ in; undefined for equal ones. */
function leaf(source: Tree, target: Tree): string | undefined {
	if (source.tag === "timestamp" && target.tag === "timestamp") {
		const by = source.value - target.value;
		const size = by < 0n ? -by : by;
		if (size === 0n) return undefined;
		return size < TELLING ? `timestamp differs by ${size} us` : "timestamp differs";
	}
	if (source.tag === "point" && target.tag === "point") {
		if (source.latitude === target.latitude && source.longitude === target.longitude) return undefined;
		const swapped = source.latitude === target.longitude && source.longitude === target.latitude;
		return swapped ? "latitude and longitude swapped" : "geo point differs";
	}
	if (source.tag === "double" && target.tag === "double") {
		if (source.bits === target.bits) return undefined;
		return source.bits === 1n << 63n && target.bits === 0n ? "the sign of zero is lost" : "double differs";
	}
	return same(source, target) ? undefined : `${noun(source)} differs`;
}

function same(source: Tree, target: Tree): boolean {
	if ("bytes" in source && "bytes" in target) return source.bytes.equals(target.bytes);
	if ("value" in source && "value" in target) return source.value === target.value;
	return source.tag === target.tag;
}

/**
 * Where two canonical forms differ, at most 10, in words and without values: `tags[3].at: timestamp differs by 456 us`,
 * `geo: latitude and longitude swapped`, `n: integer became double`, `x: missing`. Empty exactly when the forms are equal.
 */
export function differences(source: Uint8Array, target: Uint8Array): string[] {
	if (Buffer.compare(source, target) === 0) return [];
	const [from, to]: [RootTree, RootTree] = [treeOf(source), treeOf(target)];
	const finder = new Finder();
	finder.compare(from.id, to.id, ["_id"]);
	finder.compare(from.parent, to.parent, ["_parent"]);
	finder.compare(from.old, to.old, ["_old"]);
	finder.fields(from.fields, to.fields, []);
	if (from.stray !== to.stray) finder.add(["_micros"], `entries that belong to no date: ${to.stray}`);
	return finder.texts;
}
