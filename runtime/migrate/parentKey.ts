/** Where the text that begins at `at` ends, in an encoded key. */
function textEnd(key: Uint8Array, at: number): number {
	let end = at;
	while (key[end] !== 0 || key[end + 1] !== 1) end++;
	return end + 2;
}

/** The encoded key of the parent: the part of a key before its last step. Undefined for a key of one step. */
export function parentKey(key: Buffer): Buffer | undefined {
	const first = textEnd(key, 0);
	let last = first;
	for (let at = first; at < key.length; ) {
		last = at;
		const tag = textEnd(key, at);
		at = key[tag] === 1 ? tag + 9 : textEnd(key, tag + 1);
	}
	return last === first ? undefined : key.subarray(0, last);
}
