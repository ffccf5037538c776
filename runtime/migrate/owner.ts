import { randomUUID } from "node:crypto";
import { readlink } from "node:fs/promises";
import { hostname } from "node:os";
import { bootId, born } from "../platform/proc.ts";
import type { Owner } from "./checkpoint.ts";

const pidSpace = (): Promise<string> => readlink("/proc/self/ns/pid").catch(() => "");

/** This process, as the holder of what it claims. */
export async function thisProcess(): Promise<Owner> {
	const [ticks, boot, space] = await Promise.all([born(process.pid), bootId().catch(() => ""), pidSpace()]);
	return { host: hostname(), pid: process.pid, born: ticks ?? "", boot, space, token: randomUUID() };
}

/** Whether the holder has ended for sure: only of a process of this machine, seen from the same pid namespace. */
export async function isGone(owner: Owner, me: Owner): Promise<boolean> {
	if (owner.boot === "" || owner.space === "" || owner.boot !== me.boot || owner.space !== me.space) return false;
	return (await born(owner.pid)) !== owner.born;
}

export const ownerText = ({ host, pid }: Owner): string => `process ${pid} of ${host}`;
