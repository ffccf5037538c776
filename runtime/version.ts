/** Recorded in what outlives a run: manifests, ledgers, reports. A test compares it with package.json. */
export const VERSION = "0.1.0";
