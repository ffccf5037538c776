import { HoldfastError } from "../errors.ts";

/** The generation of an object that was asked for is not there any more. */
export class ObjectGone extends HoldfastError {
	constructor(object: string, bucket: string) {
		super("HF_REJECTED", `${object} of ${bucket} is not there in the generation that was asked for`, {
			next: "the source must not change while it is migrated: see docs/migrate.md",
		});
		this.name = "ObjectGone";
	}
}
