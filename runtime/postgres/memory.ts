export interface MemoryParameters {
	shared_buffers: string;
	effective_cache_size: string;
	work_mem: string;
	maintenance_work_mem: string;
	max_wal_size: string;
	min_wal_size: string;
}

const between = (least: number, value: number, most: number): number =>
	Math.max(least, Math.min(most, Math.floor(value)));

/**
 * Sizes for one member that may take `memoryMB`: a quarter is shared, the rest is for the kernel's cache and for
 * sorting. All figures are functions of declared numbers: what a machine has can differ between hosts and days, and a
 * change of `shared_buffers` is a restart of every member.
 */
export function memoryParameters(memoryMB: number, maxConnections: number): MemoryParameters {
	const walMB = between(256, memoryMB, 4096);
	return {
		shared_buffers: `${between(32, memoryMB / 4, 16_384)}MB`,
		effective_cache_size: `${between(64, memoryMB * 0.75, 1_048_576)}MB`,
		work_mem: `${between(2, memoryMB / (2 * maxConnections), 64)}MB`,
		maintenance_work_mem: `${between(16, memoryMB / 16, 1024)}MB`,
		max_wal_size: `${walMB}MB`,
		min_wal_size: `${between(80, walMB / 8, 1024)}MB`,
	};
}
