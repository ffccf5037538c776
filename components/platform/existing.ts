import type { Address } from "../../runtime/platform/model.ts";
import type { Platform } from "./platform.ts";

/** Members that somebody else runs: their set and users are managed, their processes are not touched. */
export class ExistingPlatform implements Platform {
	readonly host = { kind: "existing" } as const;
	readonly #members: readonly Address[];

	constructor(members: readonly Address[]) {
		this.#members = members;
	}

	addresses(_cluster: string, slots: readonly number[]): Address[] {
		return slots.map((slot) => this.#members[slot]!);
	}

	group(): [] {
		return [];
	}
}
