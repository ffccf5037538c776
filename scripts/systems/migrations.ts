import type { StackOutputs } from "../outputs.ts";

/** The id maps and migrations of a stack, as lines. */
export function migrationLines({
	idMaps = {},
	migrations = {},
}: Pick<StackOutputs, "idMaps" | "migrations">): string[] {
	return [
		...Object.entries(idMaps).map(([name, { hash, count }]) => `Id map ${name}: ${count} ids, ${hash}`),
		...Object.entries(migrations).map(
			([name, { state, written }]) => `Migration ${name}: ${state}, ${written} written`,
		),
	];
}
