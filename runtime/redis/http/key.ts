import { Refusal } from "./errors.ts";

const MAX_BYTES = 512;
const PERCENT = 37;
const PREFIX = "/data/";
/** Where a request for one key is routed, whatever the key holds: routing never decodes it. */
const PATTERN = "/data/:key";

function checked(key: Buffer): Buffer {
	if (key.length === 0) throw new Refusal("INVALID_KEY", "The key is empty: name one after /data/.");
	if (key.length > MAX_BYTES)
		throw new Refusal("INVALID_KEY", `The key has ${key.length} bytes: use at most ${MAX_BYTES}.`);
	return key;
}

const hex = (code: number): number => {
	if (code >= 48 && code <= 57) return code - 48;
	const letter = code | 32;
	return letter >= 97 && letter <= 102 ? letter - 87 : -1;
};

/**
 * Bytes of a key as it stands in a request line, where Node lets nothing but ASCII through. `%XX` is any byte, `/` and `+`
 * are themselves. Throws INVALID_KEY.
 */
export function keyOfPath(text: string): Buffer {
	const bytes = Buffer.from(text, "latin1");
	if (!text.includes("%")) return checked(bytes);
	let to = 0;
	for (let from = 0; from < bytes.length; from++, to++) {
		if (bytes[from] !== PERCENT) {
			bytes[to] = bytes[from]!;
			continue;
		}
		const high = hex(bytes[from + 1] ?? 0);
		const low = hex(bytes[from + 2] ?? 0);
		if (high < 0 || low < 0)
			throw new Refusal("INVALID_KEY", "The key has a % without two hexadecimal digits: encode a percent sign as %25.");
		bytes[to] = high * 16 + low;
		from += 2;
	}
	return checked(bytes.subarray(0, to));
}

/** Bytes of a key in JSON. Throws INVALID_KEY. */
export function keyOfText(text: string): Buffer {
	if (!text.isWellFormed())
		throw new Refusal("INVALID_KEY", "The key is no valid Unicode: half a surrogate pair stands alone.");
	return checked(Buffer.from(text));
}

/** Path and query of a request line, which a proxy may send with scheme and host. */
function target(url: string): string {
	if (url.startsWith("/")) return url;
	const slash = url.indexOf("/", url.indexOf("://") + 3);
	return slash < 0 ? "/" : url.slice(slash);
}

/** The key's part of a request line, without the query; undefined where it names no key. */
export function keyText(url: string): string | undefined {
	const path = target(url);
	if (!path.startsWith(PREFIX)) return undefined;
	const query = path.indexOf("?");
	return query < 0 ? path.slice(PREFIX.length) : path.slice(PREFIX.length, query);
}

/** Where a request is routed: the router would decode a key as text, and take its slashes for its own. */
export function routed(request: { url?: string; method?: string }): string {
	const path = target(request.url!);
	if (request.method === "POST" || !path.startsWith(PREFIX)) return path;
	const query = path.indexOf("?");
	return query < 0 ? PATTERN : PATTERN + path.slice(query);
}
