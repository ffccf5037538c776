import { HoldfastError } from "../../errors.ts";

/** Places in a JSON value, all declared paths in one: what may come next at this place. */
export interface PathNode {
	members: Map<string, PathNode>;
	/** `[*]` */
	items?: PathNode;
	/** Ids of this kind stand here. */
	kind?: string;
}

const STEP = /\.([\p{L}_][\p{L}\p{N}_-]*)|\['((?:[^'\\]|\\['\\])*)'\]|(\[\*\])/uy;

/** The steps of a path: names of members, or `null` for all items. HF_SETTING for what is more than that. */
function stepsOf(path: string): (string | null)[] {
	const steps: (string | null)[] = [];
	let at = 1;
	while (at < path.length) {
		STEP.lastIndex = at;
		const [step, plain, quoted] = STEP.exec(path) ?? [];
		if (step === undefined) throw refused(path, `nothing is known of what begins at character ${at + 1}`);
		steps.push(plain ?? quoted?.replace(/\\(.)/g, "$1") ?? null);
		at += step.length;
	}
	return steps;
}

const refused = (path: string, why: string) =>
	new HoldfastError("HF_SETTING", `the path ${JSON.stringify(path)} is refused: ${why}`, {
		next: "write paths such as $.items[*].dataset or $['a b'].id",
	});

/** Compiles where ids stand. HF_SETTING for a path that is more than members and `[*]`, or stands there twice. */
export function parsePaths(ids: readonly { path: string; kind: string }[]): PathNode {
	const root: PathNode = { members: new Map() };
	for (const { path, kind } of ids) {
		if (!path.startsWith("$")) throw refused(path, "it does not begin with $");
		let node = root;
		for (const step of stepsOf(path)) node = step === null ? itemsOf(node) : memberOf(node, step);
		if (node.kind !== undefined) throw refused(path, "it is there twice");
		node.kind = kind;
	}
	return root;
}

function itemsOf(node: PathNode): PathNode {
	node.items ??= { members: new Map() };
	return node.items;
}

function memberOf(node: PathNode, name: string): PathNode {
	const known = node.members.get(name) ?? { members: new Map() };
	node.members.set(name, known);
	return known;
}
