import { isDeepStrictEqual } from "node:util";
import { HoldfastError } from "../errors.ts";
import type { Kind, Observation } from "../kind.ts";
import { report } from "../progress.ts";
import { buildIdMap } from "./idmap/build.ts";
import { openIdMap } from "./idmap/open.ts";
import { type IdMapInputs, type IdMapOutputs, idMapSchema } from "./model.ts";

type State = IdMapInputs & IdMapOutputs;

/** A frozen map of ids: built once, found ever after. No verb takes it away. */
export const idMapKind: Kind<IdMapInputs, IdMapOutputs> = {
	id: ({ name }) => name,
	async ensure(inputs, previous) {
		const declared = idMapSchema.parse(inputs);
		if (previous) {
			refuseChange(previous, declared);
			await refuseLoss(previous);
			const { hash, count, segments } = previous;
			// Its sources may be gone by now: what is built is not compared with them again.
			if (segments === declared.generation) return { hash, count, segments };
		}
		const phase = `id map ${declared.name}`;
		const { hash, count, segments } = await buildIdMap(declared, {
			onProgress: (event) => report({ phase, ...event }),
		});
		return { hash, count, segments };
	},
	observe,
	async remove(_id, { name, location, hash }) {
		console.log(`id map ${name} (${hash}) stays where it is: ${location}`);
	},
};

/** What a map is made of, and may only change together with what is added: a new segment takes other sources. */
function refuseChange(previous: State, declared: IdMapInputs): void {
	const { name, generation } = declared;
	const { segments } = previous;
	const before = (key: keyof IdMapInputs) => idMapSchema.shape[key].parse(previous[key]);
	const changed = (["location", "format", "ids", "sources"] as const).filter(
		(key) => !isDeepStrictEqual(before(key), declared[key]) && !(key === "sources" && generation > segments),
	);
	if (changed.length > 0)
		throw new HoldfastError("HF_FROZEN", `id map ${name} is built: its ${changed.join(" and ")} cannot be changed`, {
			next: changed.includes("sources")
				? "take the change back, or raise generation: what other sources have is then added"
				: "take the change back, or declare a map of another name",
		});
	if (segments > generation)
		throw new HoldfastError("HF_FROZEN", `id map ${name} has ${segments} segments, and never fewer again`, {
			next: `set generation to ${segments}`,
		});
}

/** Of a map that is gone nothing is made anew: what was migrated with it would get other ids. */
async function refuseLoss(previous: State): Promise<void> {
	const error = await wrong(previous);
	if (error?.code !== "HF_REJECTED") {
		if (error) throw error;
		return;
	}
	const { name, location } = previous;
	throw new HoldfastError("HF_DATA_LOST", `id map ${name} is gone from ${location} and is not made anew`, {
		next: "restore it from a copy; where nothing was migrated with it yet, declare a map of another name",
		cause: error,
	});
}

/** Why the map of the state cannot be used: gone (HF_REJECTED), another (HF_FROZEN), altered (HF_DAMAGED), out of reach. */
async function wrong({ location, endpoint, hash }: State): Promise<HoldfastError | undefined> {
	try {
		await (await openIdMap(location, { hash, ...(endpoint === undefined ? {} : { endpoint }) })).close();
		return undefined;
	} catch (error) {
		if (error instanceof HoldfastError) return error;
		throw error;
	}
}

/** A map that is gone, altered or another has no segment of ours: generation 0. One out of reach tells nothing. */
async function observe(_id: string, state: State): Promise<Observation<IdMapInputs, IdMapOutputs>> {
	const { hash, count, segments } = state;
	const outputs = { hash, count, segments };
	const error = await wrong(state);
	const isLost = error !== undefined && ["HF_REJECTED", "HF_FROZEN", "HF_DAMAGED"].includes(error.code);
	if (isLost) console.log(`id map ${state.name}: ${error.message}`);
	return isLost ? { inputs: { generation: 0 }, outputs } : { outputs };
}
