import { Readable } from "node:stream";
import { HoldfastError } from "../../errors.ts";
import { failpoint } from "../../failpoint.ts";
import type { ObjectInfo } from "../../gcs/bucket.ts";
import { ObjectGone } from "../../gcs/gone.ts";
import { remapped, replacer } from "./contents.ts";
import { byteDifferences, copyInfo, isRemapped, type ObjectEnds } from "./ends.ts";
import { type ItemProblem, itemProblem, SOURCE_CHANGED } from "./itemProblem.ts";
import { keptInfo, type ManifestEntry } from "./manifest.ts";

/** What became of an entry. */
export type Copied =
	| { is: "written" | "equal" | "overwritten" | "skipped" }
	| { is: "dead"; stage: "transform" | "write"; code: string; reason: string }
	| { is: "conflicts"; paths: string[] };

/** Copies one object; the same again finds it equal. Never overwrites what it has not been told to. */
export async function copy(ends: ObjectEnds, entry: ManifestEntry, signal: AbortSignal): Promise<Copied> {
	if (entry.skip) return { is: "skipped" };
	if (entry.problem) return { is: "dead", stage: "transform", ...entry.problem };
	if (entry.clash) return { is: "conflicts", paths: ["another object has the same new name"] };
	try {
		const written = await write(ends, entry, "0", signal);
		if (written) return { is: "written" };
		return await judge(ends, entry, signal);
	} catch (error) {
		if (error instanceof ObjectGone && !(await hasChanged(ends, entry))) throw noTarget(ends, error);
		return dead(itemProblem(error));
	}
}

const dead = ({ code, reason }: ItemProblem): Copied => ({ is: "dead", stage: "write", code, reason });

/** The service says of both ends the same: there is none. */
const noTarget = ({ target }: ObjectEnds, cause: unknown) =>
	new HoldfastError("HF_REJECTED", `${target.name} is not there any more`, { next: "create the bucket again", cause });

/** False: a precondition does not hold. `generation` is the one that is replaced, "0" for none. */
async function write(
	ends: ObjectEnds,
	entry: ManifestEntry,
	generation: string,
	signal: AbortSignal,
): Promise<boolean> {
	const when = { ifGenerationMatch: generation };
	const done = isRemapped(ends, entry)
		? await upload(ends, entry, when, signal)
		: await rewrite(ends, entry, when, signal);
	if (done) await failpoint("objects/copied");
	return done;
}

type When = { ifGenerationMatch: string };

async function rewrite(ends: ObjectEnds, entry: ManifestEntry, when: When, signal: AbortSignal): Promise<boolean> {
	const from = { object: entry._id.name, generation: entry.generation };
	const to = { bucket: ends.declaration.target.bucket, object: entry.to as string };
	let token: string | undefined;
	for (;;) {
		await ends.limiter.take(signal);
		const step = await ends.source.rewrite(from, to, copyInfo(ends, entry), when, token);
		if (step === undefined) return false;
		if (step.done) return checked(entry, step.object);
		if (step.token === "") throw new HoldfastError("HF_REJECTED", `the copy of ${from.object} ended without an object`);
		token = step.token;
		await failpoint("objects/rewriting");
	}
}

function checked(entry: ManifestEntry, { name, size, crc32c }: ObjectInfo): true {
	if (size === entry.size && crc32c === entry.crc32c) return true;
	throw new HoldfastError("HF_DAMAGED", `the copy ${name} has other bytes than ${entry._id.name}`, {
		next: "delete the copy and run the same command again",
	});
}

async function upload(ends: ObjectEnds, entry: ManifestEntry, when: When, signal: AbortSignal): Promise<boolean> {
	await ends.limiter.take(signal);
	const contents = Readable.from(remappedContents(ends, entry), { objectMode: false });
	return (await ends.target.write(entry.to as string, contents, copyInfo(ends, entry), when)) !== undefined;
}

/** Opens the source only when the target takes its bytes. */
async function* remappedContents({ source, naming, map }: ObjectEnds, entry: ManifestEntry) {
	const stored = await source.read(entry._id.name, { generation: entry.generation });
	const rule = naming.content(entry.rule);
	if (rule) yield* remapped(stored, rule, keptInfo(entry).contentEncoding, replacer(map));
}

/** There is something in the target already, or the source changed. */
async function judge(ends: ObjectEnds, entry: ManifestEntry, signal: AbortSignal): Promise<Copied> {
	const found = await compared(ends, entry);
	if (found === undefined) return (await hasChanged(ends, entry)) ? dead(SOURCE_CHANGED) : again(entry);
	if (found.paths.length === 0) return { is: "equal" };
	if (!ends.overwrite) return { is: "conflicts", paths: found.paths };
	if (await write(ends, entry, found.generation, signal)) return { is: "overwritten" };
	if (await hasChanged(ends, entry)) return dead(SOURCE_CHANGED);
	// A write whose answer was lost, and which was then tried again, stands there.
	const now = await compared(ends, entry);
	return now?.paths.length === 0 ? { is: "overwritten" } : { is: "conflicts", paths: now?.paths ?? [] };
}

/** What stands in the target, and in what it differs; `undefined`: nothing does. */
async function compared(ends: ObjectEnds, entry: ManifestEntry) {
	const found = await ends.target.stat(entry.to as string);
	return found && { generation: found.generation, paths: await byteDifferences(ends, entry, found) };
}

async function hasChanged({ source }: ObjectEnds, { _id, generation }: ManifestEntry): Promise<boolean> {
	return (await source.stat(_id.name))?.generation !== generation;
}

function again({ to }: ManifestEntry): never {
	throw new HoldfastError("HF_RETRY", `${to} came and went in the target while it was copied`);
}
