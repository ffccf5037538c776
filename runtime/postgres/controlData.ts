import { open } from "node:fs/promises";
import { endianness } from "node:os";
import { join } from "node:path";
import { memberFolder } from "../platform/layout.ts";
import { DATA_FOLDER } from "./patroniYml.ts";

/** PostgreSQL begins this file with the identifier, in the machine's byte order, in every version. */
const CONTROL = "global/pg_control";

/** Database system identifier of a member's data folder, as `pg_controldata` shows it; `undefined` without one. */
export async function identifierOnDisk(stack: string, member: string): Promise<string | undefined> {
	const folder = await memberFolder(stack, member);
	const file = folder && (await open(join(folder, DATA_FOLDER, CONTROL)).catch(() => undefined));
	if (!file) return undefined;
	try {
		const { buffer, bytesRead } = await file.read(Buffer.alloc(8), 0, 8, 0);
		if (bytesRead < 8) return undefined;
		return String(endianness() === "LE" ? buffer.readBigUInt64LE() : buffer.readBigUInt64BE());
	} finally {
		await file.close();
	}
}
