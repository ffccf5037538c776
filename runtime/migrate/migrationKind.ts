import { isDeepStrictEqual } from "node:util";
import { HoldfastError, NotReady } from "../errors.ts";
import type { Kind, Observation } from "../kind.ts";
import { report } from "../progress.ts";
import { dropFile, keepFile } from "./keptFile.ts";
import {
	datastoreMigrationSchema,
	type ManagedMigration,
	type Migration,
	type MigrationOutputs,
	managedMigrationSchema,
} from "./model.ts";
import { type RunOutcome, runMigration } from "./run.ts";
import { isOutOfReach, standing, totalOf } from "./standing.ts";

/** A migration of the ledger: run once, resumed until it is complete, never undone. */
export const migrationKind: Kind<ManagedMigration, MigrationOutputs> = {
	id: ({ name }) => name,
	async ensure(inputs, previous) {
		const { timeoutMinutes, run: _, ...declaration } = managedMigrationSchema.parse(inputs);
		if (previous) refuseMove(previous, declaration);
		if (previous?.state === "complete") await refuseLoss(declaration);
		return load(declaration, timeoutMinutes);
	},
	observe,
	async remove(_id, { state, ...inputs }) {
		const { name, ledger } = recorded(inputs);
		await dropFile(inputs);
		const left = state === "complete" ? "what it wrote" : "what it wrote so far";
		console.log(`migration ${name} is not undone: ${left} stays, and so does its record in database ${ledger}`);
	},
};

/** What says where its record is, as it was declared. */
function recorded({ kind, name, mongo, ledger }: Pick<ManagedMigration, "kind" | "name" | "mongo" | "ledger">) {
	return { kind, name, mongo, ledger: datastoreMigrationSchema.shape.ledger.parse(ledger) };
}

/** The ledger refuses another map, other rules or other ends; here stands what it cannot know: where it was. */
function refuseMove(previous: ManagedMigration, now: Migration): void {
	const before = recorded(previous);
	const moved = (["kind", "mongo", "ledger"] as const).find((key) => !isDeepStrictEqual(before[key], now[key]));
	if (!moved) return;
	throw new HoldfastError("HF_FROZEN", `migration ${now.name} was begun with another ${moved}`, {
		next: `take the former ${moved} back, or declare a migration of another name`,
	});
}

/** What was complete is not loaded a second time because nobody remembers it. */
async function refuseLoss(declaration: Migration): Promise<void> {
	if (await standing(declaration)) return;
	const { name, ledger } = declaration;
	throw new HoldfastError("HF_DATA_LOST", `the ledger knows nothing of migration ${name}, which was complete`, {
		next: `restore database ${ledger}; to load everything again, declare a migration of another name`,
	});
}

async function load(declaration: Migration, minutes: number): Promise<MigrationOutputs> {
	const progress = new Map<number, number>();
	let total: number | undefined;
	const phase = `migration ${declaration.name}`;
	try {
		const outcome = await runMigration(declaration, {
			signal: AbortSignal.timeout(minutes * 60_000),
			onBegin: ({ record }) => {
				// Only what was not refused is kept; here already, for who looks at it meanwhile.
				void keepFile(declaration).catch(() => undefined);
				total = totalOf(record);
				report({ phase, step: "loading", ...(total === undefined ? {} : { total }) });
			},
			onProgress: ({ partition, counts }) => {
				progress.set(partition, counts.read ?? 0);
				const done = [...progress.values()].reduce((sum, read) => sum + read, 0);
				report({ phase, step: "loading", done, ...(total === undefined ? {} : { total }) });
			},
			onNote: (note) => console.log(`${phase}: ${note}`),
		});
		await keepFile(declaration);
		if (outcome.state === "complete") return outputsOf(outcome);
		throw new HoldfastError("HF_RETRY", `${outcome.open} of ${outcome.partitions} partitions are left to other runs`);
	} catch (error) {
		if (error instanceof HoldfastError && KEPT.has(error.code)) throw await unfinished(declaration, error);
		throw error;
	}
}

/** Ends of a run that leave a migration in the ledger which a later `up` is to go on with. */
const KEPT: ReadonlySet<string> = new Set(["HF_RETRY", "HF_INCOMPLETE", "HF_DEADLINE"]);

async function unfinished(declaration: Migration, error: HoldfastError): Promise<Error> {
	const { name } = declaration;
	const found = await standing(declaration).catch(() => undefined);
	// Nothing is recorded: there is nothing that state could name.
	if (!found) return error;
	const file = await keepFile(declaration);
	const said = error.message.replace(/^\w+: /, "").replace(/\. Next: .*$/s, "");
	const far = `migration ${name} is not complete, ${found.outputs.read} read and ${found.outputs.written} written so far: ${said}`;
	return new NotReady(name, found.outputs, far, { next: `${error.next} (its file is ${file})`, cause: error });
}

const outputsOf = ({ mapHash, readTime, counts, completedAt }: RunOutcome): MigrationOutputs => ({
	state: "complete",
	mapHash,
	...(readTime === undefined ? {} : { readTime }),
	read: counts.read ?? 0,
	written: counts.written ?? 0,
	...(completedAt === undefined ? {} : { completedAt }),
});

/** What the ledger says. Of a replica set that is down nothing can be said: that is drift of the set. */
async function observe(
	_id: string,
	state: ManagedMigration & MigrationOutputs,
): Promise<Observation<ManagedMigration, MigrationOutputs>> {
	const { state: loaded, mapHash, readTime, read, written, completedAt } = state;
	const known = { state: loaded, mapHash, readTime, read, written, completedAt } as MigrationOutputs;
	try {
		const found = await standing(recorded(state));
		if (!found) return { inputs: { run: "gone" }, outputs: known };
		return { inputs: { run: found.outputs.state }, outputs: found.outputs };
	} catch (error) {
		if (isOutOfReach(error)) return { outputs: known };
		throw error;
	}
}
