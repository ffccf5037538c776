import type { Place, RedisNode, View } from "./port.ts";

/** What a node may do, by what was found over one of its connections. */
export interface Finding {
	node: RedisNode;
	reads: boolean;
	writes: boolean;
	isSettled: boolean;
	connection: number;
}

/** The view of these; the one before when nothing has changed. */
export class ViewMaker {
	#made = "";
	#view: View = { places: [] };

	get view(): View {
		return this.#view;
	}

	make(findings: readonly Finding[]): void {
		const made = JSON.stringify(findings.map(({ node, ...rest }) => ({ ...rest, name: node.name })));
		if (made === this.#made) return;
		this.#made = made;
		this.#view = { places: findings.map(placeOf) };
	}
}

/** What was found over one connection says nothing about the server behind the next one. */
const placeOf = ({ node, connection, isSettled, ...may }: Finding): Place => ({
	node,
	isSettled,
	get reads() {
		return may.reads && node.connections === connection;
	},
	get writes() {
		return may.writes && node.connections === connection;
	},
});
