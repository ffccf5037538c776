/** The part of a page below a heading, up to the next heading of the same or a higher rank; empty when there is none. */
export function section(page: string, heading: string): string {
	const lines = page.split("\n");
	const start = lines.indexOf(heading);
	if (start === -1) return "";
	const rank = heading.indexOf(" ");
	const length = lines.slice(start + 1).findIndex((line) => /^#+ /.test(line) && line.indexOf(" ") <= rank);
	return lines.slice(start + 1, length === -1 ? undefined : start + 1 + length).join("\n");
}

/** Cells of the tables whose first column is called `first`, without the head and without backquotes around names. */
export function rows(text: string, first: string): string[][] {
	const tables = text.split(/\n(?!\|)/).filter((block) => block.trimStart().startsWith(`| ${first} |`));
	return tables.flatMap((table) => table.trim().split("\n").slice(2).map(cells));
}

const cells = (line: string): string[] => {
	const [first = "", ...rest] = line
		.split("|")
		.slice(1, -1)
		.map((cell) => cell.trim());
	return [first.replaceAll("`", ""), ...rest];
};

/** The part of a zod schema that is walked here. */
export interface Schema {
	def: {
		type: string;
		innerType?: Schema;
		element?: Schema;
		valueType?: Schema;
		options?: Schema[];
		defaultValue?: unknown;
	};
	shape?: Record<string, Schema>;
}

/** `path -> default` of every leaf; `[]` for the items of a list, `<>` for the keys of a map. */
export function leaves(schema: Schema, path = ""): Map<string, unknown> {
	const { type, innerType, element, valueType, options, defaultValue } = schema.def;
	if (type === "object") {
		const at = (key: string) => (path === "" ? key : `${path}.${key}`);
		return new Map(Object.entries(schema.shape!).flatMap(([key, inner]) => [...leaves(inner, at(key))]));
	}
	if (innerType) {
		const inner = leaves(innerType, path);
		return type === "default" && inner.has(path) ? new Map([[path, defaultValue]]) : inner;
	}
	if (element) return leaves(element, `${path}[]`);
	if (type === "record" && isDeep(valueType!)) return leaves(valueType!, `${path}.<>`);
	if (options?.some(isDeep)) return new Map(options.flatMap((option) => [...leaves(option, path)]));
	return new Map([[path, undefined]]);
}

const isDeep = ({ def }: Schema): boolean =>
	def.type === "object" || (def.innerType !== undefined && isDeep(def.innerType));

/** Anchors of a page's headings, as GitHub makes them. */
export const anchors = (page: string): string[] =>
	[...page.matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
		title!
			.toLowerCase()
			.replaceAll(/[^\w\s-]/g, "")
			.replaceAll(" ", "-"),
	);
