import { failpoint } from "../failpoint.ts";
import { addedPartitions } from "./addedPartitions.ts";
import { comparison } from "./compareEntities.ts";
import { type EntityItem, type EntityRange, entityPages } from "./entityPages.ts";
import { type DocumentRange, searchExtras } from "./extraDocuments.ts";
import { collectionOf } from "./kindRule.ts";
import { sampleEntities } from "./sampleEntities.ts";
import type { Transfer } from "./transfer.ts";
import { tryEntities } from "./tryEntities.ts";
import type { EntityEnds, Reporter } from "./verifyEnds.ts";
import type { Partition, VerifyCount, Work } from "./work.ts";

export type { EntityEnds } from "./verifyEnds.ts";

/** What a transfer of entities does for verifications and plans. */
export type EntityVerification = Required<
	Pick<Transfer, "verifying" | "searching" | "added" | "sampling" | "trying" | "groupOf">
>;

export const entityVerification = (ends: EntityEnds): EntityVerification => ({
	verifying: (report) => comparing(ends, report) as Work<unknown, unknown, VerifyCount>,
	searching: (report, compared) => searchExtras(ends, report, compared),
	added: (frozen) => addedPartitions(ends, frozen),
	sampling: (report, frozen, size) => sampleEntities(ends, report, frozen as Partition<EntityRange>[], size),
	trying: (budgetMs) => tryEntities(ends, budgetMs),
	groupOf: ({ range }) => {
		if ("collection" in (range as DocumentRange)) return { source: "", target: (range as DocumentRange).collection };
		const { namespace, kind } = range as EntityRange;
		const source = namespace === "" ? kind : `${namespace}!${kind}`;
		return { source, target: collectionOf(ends.declaration.rules, kind) };
	},
});

function comparing(ends: EntityEnds, report: Reporter): Work<EntityItem, EntityRange, VerifyCount> {
	const compare = comparison(ends);
	return {
		page: entityPages(ends.source, ends.declaration.pageSize),
		apply: async ({ range: { kind } }, items, { carry }) => {
			const { found, ...applied } = await compare(kind, items, carry);
			await report(found);
			await failpoint("verify/compared");
			return applied;
		},
	};
}
