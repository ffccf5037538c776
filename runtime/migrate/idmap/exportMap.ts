import { decodeKey, keyText, type OldKey } from "../oldKey.ts";
import { idText } from "./idText.ts";
import type { FrozenIdMap } from "./open.ts";

export type ExportFormat = "ndjson" | "csv";

const CHUNK = 64 * 1024;

/**
 * All pairs as text, some at a time, in the order of the old keys of each segment. NDJSON: `{"namespace": "", "path":
 * [{"kind": "Dataset", "name": "a"}], "newId": "..."}`. CSV (RFC 4180) with a heading: namespace, kind, id or name of the
 * last step, the whole key (`keyText`), new id.
 */
export function* exportMap(map: FrozenIdMap, format: ExportFormat): Generator<string> {
	let chunk = format === "csv" ? csvLine(["namespace", "kind", "old_id", "old_key", "new_id"]) : "";
	for (const segment of map.segments) {
		for (const { key, id } of segment.pairs()) {
			const old = decodeKey(key);
			const newId = idText(map.format, id, 0);
			chunk += format === "csv" ? csvLine(cellsOf(old, newId)) : `${JSON.stringify({ ...old, newId })}\n`;
			if (chunk.length < CHUNK) continue;
			yield chunk;
			chunk = "";
		}
	}
	yield chunk;
}

function cellsOf(old: OldKey, newId: string): string[] {
	const last = old.path.at(-1)!;
	return [old.namespace, last.kind, "id" in last ? last.id : last.name, keyText(old), newId];
}

const csvLine = (cells: readonly string[]): string => `${cells.map(csvCell).join(",")}\r\n`;

/**
 * What a spreadsheet would take for a formula gets an apostrophe before it, and so does what begins with one: taking one
 * away from each cell that begins with it gives the text back.
 */
function csvCell(text: string): string {
	const safe = /^[=+\-@\t\r']/.test(text) ? `'${text}` : text;
	return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
