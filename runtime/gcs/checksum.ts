import { Crc32c } from "@aws-crypto/crc32c";

/** CRC32C of bytes as they pass, written as Cloud Storage does: base64 of 4 bytes, big-endian. */
export class Checksum {
	readonly #crc = new Crc32c();
	/** Bytes so far. */
	size = 0;

	update(bytes: Uint8Array): this {
		this.#crc.update(bytes);
		this.size += bytes.length;
		return this;
	}

	get crc32c(): string {
		const bytes = Buffer.alloc(4);
		bytes.writeUInt32BE(this.#crc.digest());
		return bytes.toString("base64");
	}
}
