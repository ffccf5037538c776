import { LENGTH_BYTES } from "./rows.ts";

const SMALL = 16;

/**
 * Sorts rows (length, bytes) that stand in `arena` at `rows` by their bytes: multikey quicksort (Bentley and Sedgewick,
 * 1997), which looks at each byte that rows have in common about once, where a comparing sort does so at every step.
 */
export function sortRows(arena: Buffer, rows: Uint32Array): void {
	// Recursion is as deep as keys are long where they differ in their last byte only: a stack of our own.
	const stack: number[] = [0, rows.length, 0];
	while (stack.length > 0) {
		const depth = stack.pop()!;
		const to = stack.pop()!;
		const from = stack.pop()!;
		if (to - from <= SMALL) {
			insertionSort(arena, rows, from, to, depth);
			continue;
		}
		const pivot = middle(arena, rows, from, to, depth);
		let low = from;
		let high = to;
		for (let i = from; i < high; ) {
			const row = rows[i]!;
			const byte = byteAt(arena, row, depth);
			if (byte < pivot) {
				rows[i++] = rows[low]!;
				rows[low++] = row;
			} else if (byte > pivot) {
				rows[i] = rows[--high]!;
				rows[high] = row;
			} else i++;
		}
		stack.push(from, low, depth, high, to, depth);
		// Rows that ended are equal.
		if (pivot >= 0) stack.push(low, high, depth + 1);
	}
}

/** -1 after the end. */
function byteAt(arena: Buffer, row: number, depth: number): number {
	const length = (arena[row]! << 8) | arena[row + 1]!;
	return depth < length ? arena[row + LENGTH_BYTES + depth]! : -1;
}

/** The median of three. */
function middle(arena: Buffer, rows: Uint32Array, from: number, to: number, depth: number): number {
	const a = byteAt(arena, rows[from]!, depth);
	const b = byteAt(arena, rows[(from + to) >> 1]!, depth);
	const c = byteAt(arena, rows[to - 1]!, depth);
	return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}

function insertionSort(arena: Buffer, rows: Uint32Array, from: number, to: number, depth: number): void {
	for (let i = from + 1; i < to; i++) {
		const row = rows[i]!;
		let at = i;
		while (at > from && compareAt(arena, rows[at - 1]!, row, depth) > 0) {
			rows[at] = rows[at - 1]!;
			at--;
		}
		rows[at] = row;
	}
}

export function compareAt(arena: Buffer, a: number, b: number, depth: number): number {
	const aLength = (arena[a]! << 8) | arena[a + 1]!;
	const bLength = (arena[b]! << 8) | arena[b + 1]!;
	const length = Math.min(aLength, bLength);
	for (let i = depth; i < length; i++) {
		const difference = arena[a + LENGTH_BYTES + i]! - arena[b + LENGTH_BYTES + i]!;
		if (difference !== 0) return difference;
	}
	return aLength - bLength;
}
