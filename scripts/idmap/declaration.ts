import { z } from "zod";
import { HoldfastError } from "../../runtime/errors.ts";
import { chainOf, openPlace } from "../../runtime/migrate/idmap/chain.ts";
import { type IdMapInputs, type IdSource, idMapSchema } from "../../runtime/migrate/model.ts";
import { beside, fileNamed, readDeclaration } from "../declarationFile.ts";
import { generateSecret, readSecret, type SecretSource } from "./secret.ts";

export interface IdMapOptions {
	json: boolean;
	secretFile?: string;
	secretVariable?: string;
	generateSecret?: boolean;
	format?: string;
	sources?: boolean;
}

const { location, endpoint, sources } = idMapSchema.shape;
/** What is needed to look at a map. */
const placeSchema = z.looseObject({ location, endpoint, sources });
/** What a file says of a secret, instead of the secret itself. */
const secretSchema = placeSchema.extend({
	ids: z.looseObject({
		kind: z.string(),
		secret: z.undefined("a secret does not stand in this file: name a secretFile or a secretVariable").optional(),
		secretFile: z.string().min(1).optional(),
		secretVariable: z.string().min(1).optional(),
	}),
});

export interface MapFile {
	location: string;
	endpoint?: string;
	sources: IdSource[];
}

/** The map that a file names; paths in it are relative to its folder. */
export async function readMapFile(file: string): Promise<MapFile> {
	const declared = await readDeclaration(file, placeSchema);
	return {
		location: beside(file, declared.location),
		...(declared.endpoint !== undefined && { endpoint: declared.endpoint }),
		sources: declared.sources.map((source) =>
			source.kind === "file" ? { ...source, path: beside(file, source.path) } : source,
		),
	};
}

/** All of a declaration, with the secret that it names. */
export async function readIdMap(file: string, options: IdMapOptions): Promise<IdMapInputs> {
	const map = await readMapFile(file);
	const { ids } = await readDeclaration(file, secretSchema);
	const secret = ids.kind === "deterministic" ? await secretOf(file, map, ids, options) : undefined;
	const { secretFile: _file, secretVariable: _variable, ...rest } = ids;
	const whole = z.preprocess(
		(declared) => ({ ...(declared as object), ids: secret === undefined ? rest : { ...rest, secret } }),
		idMapSchema,
	);
	return { ...(await readDeclaration(file, whole)), ...map };
}

async function secretOf(
	file: string,
	map: MapFile,
	declared: { secretFile?: string | undefined; secretVariable?: string | undefined },
	options: IdMapOptions,
): Promise<string> {
	const source = sourceOf(file, map, declared, options);
	if (options.generateSecret) {
		if (!("file" in source))
			throw new HoldfastError("HF_USAGE", "--generate-secret needs a file to keep the secret in");
		await refuseLost(map);
		await generateSecret(source.file);
	}
	return readSecret(source);
}

/** The command line counts before the file; without a word of either, the secret lies beside the map. */
function sourceOf(
	file: string,
	map: MapFile,
	declared: { secretFile?: string | undefined; secretVariable?: string | undefined },
	options: IdMapOptions,
): SecretSource {
	if (options.secretFile !== undefined) return { file: fileNamed(options.secretFile) };
	if (options.secretVariable !== undefined) return { variable: options.secretVariable };
	if (declared.secretFile !== undefined) return { file: beside(file, declared.secretFile) };
	if (declared.secretVariable !== undefined) return { variable: declared.secretVariable };
	if (!map.location.startsWith("gs://")) return { file: `${map.location}.secret` };
	throw new HoldfastError("HF_USAGE", "a deterministic map in a bucket needs --secret-file or --secret-variable");
}

/** A new secret makes other ids: a map that is there can only be compared by the one it was built with. */
async function refuseLost({ location, endpoint }: MapFile): Promise<void> {
	const place = openPlace(location, endpoint);
	try {
		if ((await chainOf(place)).length === 0) return;
	} finally {
		await place.close();
	}
	throw new HoldfastError("HF_USAGE", `there is an id map in ${location}: its secret is not made anew`, {
		next: "leave --generate-secret out",
	});
}
