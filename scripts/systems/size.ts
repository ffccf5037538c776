/** Bytes for people: whole kB below a MB, whole MB above. */
export function size(bytes: number): string {
	if (bytes < 1024) return `${bytes} B`;
	return bytes < 1024 ** 2 ? `${(bytes / 1024).toFixed(0)} kB` : `${(bytes / 1024 ** 2).toFixed(0)} MB`;
}
