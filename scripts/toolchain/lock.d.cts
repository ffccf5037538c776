export interface Holder {
	id: string;
	pid: number;
	start?: string;
	host: string;
	/** What it is doing, in words. */
	what: string;
}
export function seize(
	path: string,
	what: string,
): { release: () => void; holder?: undefined } | { holder: Holder; release?: undefined };
export function withLock<T>(
	path: string,
	what: string,
	options: { waiting: (holder: Holder) => () => void; deadlineMs: number },
	work: () => Promise<T>,
): Promise<T>;
