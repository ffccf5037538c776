import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import type { MemberSpec } from "./platform.ts";

/** What a member has to read anew, or to be restarted for. */
export const told = (members: readonly MemberSpec[]) => members.map(({ files, processes }) => ({ files, processes }));

/** One hash, which changes whenever a member is told something else; secret where a file is. */
export const hashOf = (what: readonly unknown[]): pulumi.Output<string> =>
	pulumi.output(what).apply((all) => createHash("sha256").update(JSON.stringify(all)).digest("hex"));
