import { createHash } from "node:crypto";

/** As hex. */
export const sha256 = (content: string | Buffer): string => createHash("sha256").update(content).digest("hex");
