import type { DatastoreSource } from "../datastore/source.ts";
import { HoldfastError } from "../errors.ts";

export const isExpired = (error: unknown): boolean => error instanceof HoldfastError && error.code === "HF_EXPIRED";

/** A source whose read time is over: it answers nothing any more, but still says which it was. */
export function expiredSource(
	place: Pick<DatastoreSource, "name" | "readTime" | "emulator">,
	error: unknown,
): DatastoreSource {
	const over = () => Promise.reject(error);
	return {
		...place,
		pinned: true,
		namespaces: over,
		kinds: over,
		count: over,
		page: over,
		keys: over,
		lookup: over,
		scatter: over,
		close: async () => {},
	};
}
