import { join } from "node:path";
import { HoldfastError } from "../../errors.ts";
import { failpoint } from "../../failpoint.ts";
import { VERSION } from "../../version.ts";
import type { IdMapInputs } from "../model.ts";
import { compareBytes } from "./bytes.ts";
import { MOST_PAIRS, ORDINAL_BYTES } from "./format.ts";
import { ID_BYTES, idText } from "./idText.ts";
import { type Link, manifestText, type SourceNote, segmentName } from "./manifest.ts";
import type { Merge } from "./merge.ts";
import type { NewIds } from "./newIds.ts";
import type { FrozenIdMap } from "./open.ts";
import { Pace, type PaceOptions } from "./pace.ts";
import type { MapPlace } from "./place.ts";
import { SegmentWriter } from "./segmentWriter.ts";
import { Sorter } from "./sorter.ts";
import { type Walked, walk } from "./walk.ts";

/** What a segment is added to, and by what rules. */
export interface Addition {
	place: MapPlace;
	links: readonly Link[];
	/** Of `links`. */
	map: FrozenIdMap | undefined;
	inputs: IdMapInputs;
	ids: NewIds;
	notes: SourceNote[];
	/** For temporary files. */
	folder: string;
}

/** Adds a segment with the keys that the map has not. False when another run was faster: then that segment is there. */
export async function addSegment(
	to: Addition,
	rows: Merge,
	expectedRows: number,
	options: PaceOptions,
): Promise<boolean> {
	const { place, links, inputs, folder } = to;
	const segment = links.length;
	const path = join(folder, `${segmentName(segment)}.ids`);
	const writer = new SegmentWriter(path, inputs.format);
	try {
		const sorter = new Sorter(folder, `ids-${segment}`);
		const { keys, fresh } = await writePairs(
			to,
			rows,
			writer,
			sorter,
			new Pace(options, "writing pairs", expectedRows),
		);
		await writeEntries(to, sorter, writer, new Pace(options, "writing new ids", fresh));
		const last = links.at(-1);
		const manifest = writer.end({
			version: 1,
			name: inputs.name,
			strategy: inputs.ids.kind,
			format: inputs.format,
			segment,
			count: fresh,
			before: before(links),
			keys,
			sources: to.notes,
			tool: VERSION,
			previous: last?.hash ?? null,
		});
		await failpoint("idmap/sorted");
		if (!(await place.put(segment, path, manifest))) return false;
		await place.putManifest(segment, manifestText(manifest));
		return true;
	} finally {
		writer.close();
	}
}

const before = (links: readonly Link[]): number => links.reduce((sum, { count }) => sum + count, 0);

/** Writes keys with their new ids, and puts the new ids into a sorter with the numbers of their pairs. */
async function writePairs(
	to: Addition,
	rows: Merge,
	writer: SegmentWriter,
	sorter: Sorter,
	pace: Pace,
): Promise<Walked> {
	const { ids, links, map, inputs } = to;
	const first = before(links);
	const size = ID_BYTES[inputs.format];
	const entry = Buffer.alloc(size + ORDINAL_BYTES);
	let count = 0;
	const expected = inputs.ids.kind === "deterministic" ? ids : undefined;
	const found = await walk(rows, { map, expected }, pace, ({ bytes, from, to: end }) => {
		if (count === MOST_PAIRS) throw tooMany(inputs.name);
		const id = ids(bytes, from, end, first + count);
		writer.pair(bytes, from, end, id);
		id.copy(entry, 0, 0, size);
		entry.writeUInt32BE(count++, size);
		sorter.add(entry);
	});
	if (found.otherIds > 0) throw otherSecret(to.place.name);
	return found;
}

const tooMany = (name: string) =>
	new HoldfastError("HF_REJECTED", `the id map ${name} would have more than ${MOST_PAIRS} pairs in one segment`, {
		next: "build it from some of the sources, then add the others by a generation of its own",
	});

export const otherSecret = (where: string) =>
	new HoldfastError("HF_FROZEN", `the ids of the map in ${where} were made with another secret`, {
		next: "give the secret it was built with",
	});

/** Writes new ids in their order; refuses one that two keys would have. */
async function writeEntries(to: Addition, sorter: Sorter, writer: SegmentWriter, pace: Pace): Promise<void> {
	const { map, inputs } = to;
	const size = ID_BYTES[inputs.format];
	const last = Buffer.alloc(size);
	const entries = sorter.sorted();
	try {
		while (entries.next()) {
			const { bytes, from } = entries;
			const isRepeated = pace.done > 0 && compareBytes(bytes, from, from + size, last, 0, size) === 0;
			if (isRepeated || map?.reverse(idText(inputs.format, bytes, from)) !== undefined) throw collision(inputs.name);
			bytes.copy(last, 0, from, from + size);
			writer.entry(bytes, from, entries.to);
			if (pace.isDue()) await pace.rest();
		}
	} finally {
		entries.close();
	}
}

const collision = (name: string) =>
	new HoldfastError(
		"HF_REJECTED",
		`two old keys would get the same new id in the id map ${name}; nothing was written`,
		{
			next: "choose another name or secret, or the format hex",
		},
	);
