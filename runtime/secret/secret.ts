import { randomBytes, scrypt } from "node:crypto";
import { isDeepStrictEqual, promisify } from "node:util";
import type { Kind } from "../kind.ts";
import type { SecretInputs, SecretOutputs } from "./model.ts";

/** scrypt's cost: 32 MiB and about 100 ms a secret. Part of the derivation: changing it changes every derived secret. */
const COST = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };
const derive = promisify<string, string, number, typeof COST, Buffer>(scrypt);

/**
 * Whether the value stays. What was given stays also when it is given no longer: that is how a cluster that was taken
 * over goes on. Another value is asked for by raising the generation.
 */
function keeps(former: SecretInputs["source"], source: SecretInputs["source"]): boolean {
	if (former.kind === "given") return source.kind === "generated" && source.generation === 1;
	return isDeepStrictEqual(former, source);
}

/** A secret that lives in Pulumi's state, encrypted there, and nowhere else. */
export const secretKind: Kind<SecretInputs, SecretOutputs> = {
	id: ({ name }) => name,
	async ensure({ name, source }, previous) {
		if (source.kind === "given") return { value: source.value };
		if (previous && keeps(previous.source, source)) return { value: previous.value };
		const bytes =
			source.kind === "generated"
				? randomBytes(source.bytes)
				: await derive(source.passphrase, `holdfast/${name}/${source.generation}`, source.bytes, COST);
		return { value: bytes.toString(source.encoding) };
	},
	async observe(_id, { value }) {
		return { outputs: { value } };
	},
	async remove() {},
};
