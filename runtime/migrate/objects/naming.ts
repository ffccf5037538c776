import type { IdMap } from "../idmap/idMap.ts";
import type { ObjectsMigration } from "../model.ts";
import { keyText } from "../oldKey.ts";
import { type ContentRule, contentRule } from "./contents.ts";
import { checkTarget, match, parseShape, rename, type Shape } from "./shape.ts";

/** What is to become of an object, by its name. `rule` is its index, -1 where none fits. */
export type Named = { rule: number } & (
	| { to: string }
	| { skip: true }
	| { problem: { code: string; reason: string } }
);

interface Compiled {
	shape: Shape;
	to: Shape;
	skip: boolean;
	content?: ContentRule;
}

/** Bytes of UTF-8 that Cloud Storage takes. */
const LONGEST = 1024;

/** The rules of a migration of objects, compiled. */
export class Naming {
	readonly #rules: Compiled[];
	readonly #declaration: Pick<ObjectsMigration, "source" | "target" | "unmatched">;
	readonly #map: IdMap;

	/** HF_SETTING for a shape or path that is refused. */
	constructor(declaration: Pick<ObjectsMigration, "source" | "target" | "rules" | "unmatched">, map: IdMap) {
		this.#declaration = declaration;
		this.#map = map;
		this.#rules = declaration.rules.map((rule) => {
			const shape = parseShape(rule.match);
			const to = rule.to === undefined ? shape : parseShape(rule.to);
			checkTarget(shape, to);
			return { shape, to, skip: rule.skip, ...(rule.content && { content: contentRule(rule.content) }) };
		});
	}

	/** Of a full name of the source to a full name of the target. */
	of(name: string): Named {
		const { source, target, unmatched } = this.#declaration;
		const own = name.slice(source.prefix.length);
		const rule = this.#rules.findIndex(({ shape }) => match(shape, own) !== undefined);
		const found = this.#rules[rule];
		if (found === undefined) return { rule, ...this.#unmatched(`${target.prefix}${own}`, unmatched) };
		if (found.skip) return { rule, skip: true };
		const renamed = rename(found.shape, found.to, own, this.#map);
		if (renamed === undefined || "unmapped" in renamed)
			return { rule, problem: { code: "UNMAPPED_KEY", reason: unmappedReason(renamed?.unmapped) } };
		return { rule, ...fitting(`${target.prefix}${renamed.name}`) };
	}

	content(rule: number): ContentRule | undefined {
		return this.#rules[rule]?.content;
	}

	#unmatched(to: string, unmatched: ObjectsMigration["unmatched"]) {
		if (unmatched === "skip") return { skip: true } as const;
		if (unmatched === "copy") return fitting(to);
		return { problem: { code: "UNMATCHED", reason: "no rule fits its name" } };
	}
}

const unmappedReason = (key: Parameters<typeof keyText>[0] | undefined) =>
	`${key === undefined ? "an id" : keyText(key)} in its name is not in the id map`;

function fitting(to: string): { to: string } | { problem: { code: string; reason: string } } {
	if (to !== "" && Buffer.byteLength(to) <= LONGEST) return { to };
	return { problem: { code: "NAME_LENGTH", reason: "its new name is empty or longer than 1024 bytes" } };
}
