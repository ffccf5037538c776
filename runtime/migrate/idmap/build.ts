import { HoldfastError } from "../../errors.ts";
import type { IdMapInputs, IdMapOutputs } from "../model.ts";
import { addSegment, otherSecret } from "./addSegment.ts";
import { chainOf, openPlace } from "./chain.ts";
import { collect } from "./collect.ts";
import { complete } from "./complete.ts";
import type { Link, SourceNote } from "./manifest.ts";
import type { Merge } from "./merge.ts";
import { type NewIds, newIds } from "./newIds.ts";
import { openChain } from "./open.ts";
import { Pace, type PaceOptions } from "./pace.ts";
import type { MapPlace } from "./place.ts";
import { Sorter } from "./sorter.ts";
import { openKeySource } from "./sourceKeys.ts";
import { walk } from "./walk.ts";
import { inWorkshop } from "./workshop.ts";

/** Of a map that is compared with: keys come in order, so few blocks are enough. */
const CACHE_BYTES = 64 * 1024 * 1024;

/**
 * Builds a map, or adds the segments that `generation` asks for, or finds that all is there (`changed` false) and the
 * keys are those of the sources. Any number of ids is built in a heap of 48 MiB and 35 MiB of buffers, with about 100
 * bytes an id of disk beside the map; the index, held until it is written, takes 1 MiB more for a million ids. HF_FROZEN
 * when the map is another, and nothing is changed; HF_REJECTED when the sources have no ids or cannot be read.
 */
export async function buildIdMap(
	inputs: IdMapInputs,
	options: PaceOptions = {},
): Promise<IdMapOutputs & { changed: boolean }> {
	const place = openPlace(inputs.location, inputs.endpoint);
	try {
		refuseOther(inputs, await complete(place, await chainOf(place)), place.name);
		return await inWorkshop(await place.workshop(), (folder) => new Build(inputs, place, folder, options).run());
	} finally {
		await place.close();
	}
}

/** What can be refused before a source is read. */
function refuseOther({ name, ids, format, generation }: IdMapInputs, links: readonly Link[], where: string): void {
	const [first] = links;
	const declared = `${name}, ${ids.kind}, ${format}`;
	const there = first && `${first.name}, ${first.strategy}, ${first.format}`;
	if (there !== undefined && there !== declared)
		throw new HoldfastError("HF_FROZEN", `the id map in ${where} is another: ${there}, not ${declared}`, {
			next: "declare it as it is, or another location",
		});
	if (generation < links.length)
		throw new HoldfastError("HF_FROZEN", `the id map in ${where} has ${links.length} segments, and never fewer again`, {
			next: `set generation to ${links.length}`,
		});
}

class Build {
	readonly #inputs: IdMapInputs;
	readonly #place: MapPlace;
	readonly #folder: string;
	readonly #options: PaceOptions;
	readonly #ids: NewIds;

	constructor(inputs: IdMapInputs, place: MapPlace, folder: string, options: PaceOptions) {
		this.#inputs = inputs;
		this.#place = place;
		this.#folder = folder;
		this.#options = options;
		this.#ids = newIds(inputs);
	}

	/** Other runs may be at work on the same map: what is there is looked at again after each step. */
	async run(): Promise<IdMapOutputs & { changed: boolean }> {
		const { sorter, notes, read } = await this.#readSources();
		let isOurs = false;
		for (let changed = false; ; changed ||= isOurs) {
			const links = await complete(this.#place, await chainOf(this.#place));
			refuseOther(this.#inputs, links, this.#place.name);
			const rows = sorter.sorted();
			try {
				if (links.length === this.#inputs.generation) {
					if (!isOurs) await this.#compare(links, rows, read);
					return { ...outputsOf(links), changed };
				}
				isOurs = await this.#add(links, rows, notes, read);
			} finally {
				rows.close();
			}
		}
	}

	async #readSources(): Promise<{ sorter: Sorter; notes: SourceNote[]; read: number }> {
		const sorter = new Sorter(this.#folder, "keys");
		const pace = new Pace(this.#options, "reading keys");
		const notes: SourceNote[] = [];
		for (const declared of this.#inputs.sources) {
			const source = await openKeySource(declared);
			try {
				await collect(source, sorter, pace);
				notes.push(source.note);
			} finally {
				await source.close();
			}
		}
		if (pace.done === 0)
			throw new HoldfastError("HF_REJECTED", `the sources of the id map ${this.#inputs.name} have no ids`, {
				next: "check their namespaces, kinds and shapes: a map that is frozen empty stays empty",
			});
		return { sorter, notes, read: pace.done };
	}

	async #add(links: Link[], rows: Merge, notes: SourceNote[], read: number): Promise<boolean> {
		const map = links.length === 0 ? undefined : await openChain(this.#place, links, CACHE_BYTES);
		const to = { place: this.#place, links, map, inputs: this.#inputs, ids: this.#ids, notes, folder: this.#folder };
		try {
			return await addSegment(to, rows, read, this.#options);
		} finally {
			await map?.close();
		}
	}

	/** HF_FROZEN unless the sources have the keys that the map was built from, or all that it has. */
	async #compare(links: Link[], rows: Merge, read: number): Promise<void> {
		const map = await openChain(this.#place, links, CACHE_BYTES);
		const expected = this.#inputs.ids.kind === "deterministic" ? this.#ids : undefined;
		try {
			const { keys, known, fresh, otherIds } = await walk(
				rows,
				{ map, expected },
				new Pace(this.#options, "comparing", read),
			);
			if (otherIds > 0) throw otherSecret(this.#place.name);
			if (keys.sha256 === links.at(-1)!.keys.sha256 || (fresh === 0 && known === map.count)) return;
			throw new HoldfastError(
				"HF_FROZEN",
				`the sources have ${fresh} ids that the map in ${this.#place.name} has not, and lack ${map.count - known} that it has`,
				{ next: `set generation to ${links.length + 1} to add what is new, or use the map as it is` },
			);
		} finally {
			await map.close();
		}
	}
}

function outputsOf(links: readonly Link[]): IdMapOutputs {
	const last = links.at(-1)!;
	return { hash: last.hash, count: last.before + last.count, segments: links.length };
}
