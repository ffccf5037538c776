import { HoldfastError } from "../errors.ts";
import type { Kind } from "../kind.ts";
import { identityOf, validityOf } from "./identity.ts";
import type { IdentityInputs, IdentityOutputs } from "./model.ts";
import { refuseRotation } from "./rotation.ts";

/** Certificates and keys of one member. Nothing in the world: computed from the inputs, kept in the state. */
export const identityKind: Kind<IdentityInputs, IdentityOutputs> = {
	id: ({ cluster, member }) => `${cluster}/${member}`,
	async ensure(inputs, previous) {
		if (previous) refuseRotation(previous, inputs);
		refuseOutOfTime(inputs, new Date());
		return identityOf(inputs);
	},
	async observe(_id, state) {
		return { outputs: await identityOf(state) };
	},
	async remove() {},
};

/** The clock decides only whether to go on: certificates that nobody accepts today would stop the cluster. */
function refuseOutOfTime(inputs: IdentityInputs, now: Date): void {
	const { notBefore, notAfter } = validityOf(inputs);
	if (notBefore <= now && now < notAfter) return;
	const when = now < notBefore ? `begin on ${inputs.epoch}` : `ended on ${notAfter.toISOString().slice(0, 10)}`;
	throw new HoldfastError("HF_SETTING", `the certificates of ${inputs.cluster}/${inputs.member} ${when}`, {
		next: "correct epoch and validityDays so that today is within them",
	});
}
