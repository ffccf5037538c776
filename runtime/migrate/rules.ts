import { z } from "zod";
import { escapeName, isCollectionName, RESERVED_AT_ROOT } from "./names.ts";

const fieldSchema = z.string().min(1);
const unmappedSchema = z.enum(["deadLetter", "null", "keep"]);

/** What becomes of the entities of one kind. Names of properties are those of the source. */
const kindRuleShape = z.strictObject({
	/** Collection that they go to. @default the kind's name */
	collection: z
		.string()
		.min(1)
		.refine(
			isCollectionName,
			"use a name that MongoDB takes for a collection: no $ or NUL, no dot at an end or twice, not system.*",
		)
		.optional(),
	/** Property -> field; of the entity itself, not of entities embedded in it. */
	rename: z.record(fieldSchema, fieldSchema).default({}),
	/** Properties that are left out. */
	drop: z.array(fieldSchema).default([]),
	/** `date`: a date, with what it cannot hold (microseconds) beside it; `micros`: a 64-bit integer of microseconds since 1970. @default "date" */
	timestamps: z.enum(["date", "micros"]).optional(),
	/** How keys in properties are written: the new id alone, or `{kind, id}`. @default "id" */
	references: z.enum(["id", "typed"]).optional(),
	/** A key in a property, or a parent, that the map does not have: put the entity aside, write null, or keep the old key. @default "deadLetter" */
	unmapped: unmappedSchema.optional(),
	/** Also keep the entity's old key, as text in `_old`. @default false */
	keepOld: z.boolean().optional(),
	/** Leave the whole kind out. @default false */
	skip: z.boolean().optional(),
	/** Indexes to build after the load: field -> 1, -1 or "2dsphere". */
	indexes: z
		.array(
			z.strictObject({
				keys: z
					.record(fieldSchema, z.union([z.literal(1), z.literal(-1), z.literal("2dsphere")]))
					.refine((keys) => Object.keys(keys).length > 0, "name at least one field"),
				unique: z.boolean().default(false),
			}),
		)
		.default([]),
});
const kindRuleSchema = kindRuleShape.check(({ value, issues }) => {
	const refuse = (path: (string | number)[], message: string) =>
		issues.push({ code: "custom", input: value, path, message });
	const targets = new Map<string, string>();
	for (const [property, field] of Object.entries(value.rename)) {
		const path = ["rename", property];
		const first = targets.get(field);
		if (RESERVED_AT_ROOT.has(field)) refuse(path, `${field} is reserved: use another name`);
		else if (escapeName(field, RESERVED_AT_ROOT) !== field)
			refuse(path, "use a field name without %, dots, NUL and leading $");
		if (first !== undefined) refuse(path, `${JSON.stringify(first)} is renamed to ${field} too`);
		targets.set(field, property);
	}
	for (const [index, property] of value.drop.entries()) {
		if (Object.hasOwn(value.rename, property)) refuse(["drop", index], "it is renamed too: do one of the two");
	}
});
export type KindRule = z.output<typeof kindRuleSchema>;

/** Rules of a Datastore migration. What a kind does not say stands in `defaults`. */
export const rulesSchema = z.strictObject({
	defaults: kindRuleShape.pick({ timestamps: true, references: true, unmapped: true, keepOld: true }).default({}),
	kinds: z.record(z.string().min(1), kindRuleSchema).default({}),
});
export type Rules = z.output<typeof rulesSchema>;

/**
 * A name's shape: `{Kind}` is the old id (a name) of that kind, `{Kind#}` an integer id, `*` what has no slash, `**`
 * anything. E.g. `datasets/{Dataset}/**`.
 */
const shapeSchema = z.string().min(1);

/** What becomes of the objects whose names fit `match`; the first rule that fits counts. */
const objectRuleSchema = z.strictObject({
	match: shapeSchema,
	/** The new name, with the same parts in the same order; ids in it are new ones. @default `match` */
	to: shapeSchema.optional(),
	/** Leave them out. @default false */
	skip: z.boolean().default(false),
	/** Ids inside the contents. Absent: contents are copied as they are, on the server's side. */
	content: z
		.strictObject({
			format: z.enum(["json", "ndjson"]),
			/** Where ids stand (`$.items[*].dataset`), and of which kind they are: text is a name, a number an integer id. */
			ids: z.array(z.strictObject({ path: z.string().startsWith("$"), kind: z.string().min(1) })).min(1),
		})
		.optional(),
});
export type ObjectRule = z.output<typeof objectRuleSchema>;
export const objectRulesSchema = z.array(objectRuleSchema).min(1);
