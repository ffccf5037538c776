import { HoldfastError } from "../errors.ts";
import type { IdentityInputs } from "./model.ts";

type Trust = Pick<IdentityInputs, "cluster" | "member" | "passphrase" | "former" | "generation" | "trusted">;

/** The passphrase that a generation's CA is derived from. */
export const passphraseOf = ({ passphrase, former }: Omit<Trust, "cluster" | "member">, generation: number): string =>
	former !== undefined && generation <= former.generation ? former.passphrase : passphrase;

/**
 * Members change one after another, so those that have changed and those that have not must trust each other: the CA
 * that is to sign was trusted before, and the one that signed so far stays trusted.
 */
export function refuseRotation(before: Trust, now: Trust): void {
	const who = `${now.cluster}/${now.member}`;
	const [from, to] = [before.generation, now.generation];
	if (!before.trusted.includes(to)) {
		throw new HoldfastError("HF_SETTING", `generation of ${who} is now ${to}, whose CA was not trusted so far`, {
			next: `leave generation at ${from}, set trusted to [${from}, ${to}] and run holdfast up; then set generation to ${to}`,
		});
	}
	if (!now.trusted.includes(from)) {
		throw new HoldfastError("HF_SETTING", `trusted of ${who} drops generation ${from}, which signed so far`, {
			next: `keep ${from} in trusted until an up with generation ${to} is done`,
		});
	}
	for (const generation of new Set([from, to])) {
		if (passphraseOf(before, generation) === passphraseOf(now, generation)) continue;
		throw new HoldfastError("HF_SETTING", `the passphrase of ${who} changed for generation ${generation}, in use`, {
			next: `give the earlier passphrase as former, with generation ${generation}, and rotate to the next generation`,
		});
	}
}
