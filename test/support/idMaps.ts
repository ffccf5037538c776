import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type IdMapInputs, idMapSchema } from "../../runtime/migrate/model.ts";
import type { PathElement } from "../../runtime/migrate/oldKey.ts";

/** An old key, as a line of a file of ids. */
export type Line = PathElement | { namespace?: string; path: PathElement[] };

/** A folder with a file of ids and the map that is built from it. */
export class MapScene {
	readonly folder = mkdtempSync(join(tmpdir(), "holdfast-idmap-"));
	readonly location = join(this.folder, "map");
	readonly file = join(this.folder, "ids.ndjson");

	constructor(lines: readonly Line[] = []) {
		this.write(lines);
	}

	write(lines: readonly Line[]): void {
		writeFileSync(this.file, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
	}

	inputs(change: Partial<IdMapInputs> = {}): IdMapInputs {
		return idMapSchema.parse({
			name: "things",
			location: this.location,
			ids: { kind: "deterministic", secret: "a secret of some length" },
			format: change.ids?.kind === "sequential" ? "integer" : "hex",
			sources: [{ kind: "file", path: this.file }],
			...change,
		});
	}

	segment(number = 0, suffix = "ids"): string {
		return join(this.location, `segment-000${number}.${suffix}`);
	}

	remove(): void {
		rmSync(this.folder, { recursive: true, force: true });
	}
}

/** `count` keys of one kind by name, from `first` on. */
export const named = (count: number, first = 0, kind = "Dataset"): Line[] =>
	Array.from({ length: count }, (_, index) => ({ kind, name: `dataset-${String(first + index).padStart(8, "0")}` }));
