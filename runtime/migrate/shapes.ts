/** Names beyond which a kind is not remembered: its names are data. */
const MOST_NODES = 20_000;

/** A sequence of names, as far as it has been seen. Mostly one name follows another: the last is tried first. */
class Node<S> {
	lastName: string | undefined;
	lastNode: Node<S> | undefined;
	others: Map<string, Node<S>> | undefined;
	shape: S | undefined;
}

/**
 * What is worked out once for entities that have the same properties: their order, their fields' names. Found by the
 * sequence of names without making text of it: entities of one kind have few such sequences.
 */
export class Shapes<S> {
	readonly #compile: (names: string[]) => S;
	readonly #root = new Node<S>();
	#nodes = 0;

	constructor(compile: (names: string[]) => S) {
		this.#compile = compile;
	}

	of(properties: object): S {
		const names = Object.keys(properties);
		let node = this.#root;
		for (let index = 0; index < names.length; index++) {
			const name = names[index] as string;
			if (node.lastName === name) {
				node = node.lastNode as Node<S>;
			} else {
				const next = this.#next(node, name);
				if (next === undefined) return this.#compile(names);
				node = next;
			}
		}
		node.shape ??= this.#compile(names);
		return node.shape;
	}

	#next(node: Node<S>, name: string): Node<S> | undefined {
		node.others ??= new Map();
		let next = node.others.get(name);
		if (next === undefined) {
			if (this.#nodes === MOST_NODES) return undefined;
			this.#nodes++;
			next = new Node<S>();
			node.others.set(name, next);
		}
		node.lastName = name;
		node.lastNode = next;
		return next;
	}
}
