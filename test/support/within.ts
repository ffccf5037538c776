/** What `work` comes to; fails with `what` when that takes longer than `ms`. What goes on after that is nobody's. */
export async function within<T>(what: string, ms: number, work: Promise<T> | T): Promise<T> {
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<never>((_, reject) => {
		timer = setTimeout(() => reject(new Error(`waited ${ms} ms for ${what}`)), ms);
	});
	try {
		return await Promise.race([work, late]);
	} finally {
		clearTimeout(timer);
	}
}
