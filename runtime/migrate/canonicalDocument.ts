import { CanonicalWriter, Tag } from "./canonical.ts";
import { DocumentShapes } from "./documentShapes.ts";
import { DocumentValues } from "./documentValues.ts";
import type { IdFormat } from "./idmap/idMap.ts";
import { ruleOf } from "./kindRule.ts";
import type { Rules } from "./rules.ts";

/**
 * The canonical form of a document as the server sent it (`find(filter, { raw: true })`). Whatever is in it has one: what
 * no entity becomes is written as foreign. HF_DAMAGED for bytes that are not BSON.
 */
export function canonicalDocument(rules: Rules, kind: string, format: IdFormat): (raw: Uint8Array) => Buffer {
	const writer = new CanonicalWriter();
	const shapes = new DocumentShapes("root");
	const values = new DocumentValues(writer, ruleOf(rules, kind).references === "typed", format);

	return (raw) => {
		const bytes = Buffer.isBuffer(raw) ? raw : Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
		writer.begin();
		const frame = values.begin(bytes, shapes);
		const { reserved } = frame.shape;
		const micros = reserved.get("_micros");
		values.micros.begin(bytes, frame.types[micros ?? 0] as number, frame.offsets[micros ?? -1]);
		writer.tag(Tag.ROOT);
		for (const name of ["_id", "_parent", "_old"]) values.reserved(frame, name);
		values.fields(frame, "");
		writer.count(values.micros.stray);
		return writer.take();
	};
}
