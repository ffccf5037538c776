import type { ToolRecord } from "../../runtime/tools.ts";
export function executable(file: string): boolean;
export function lockOf(root: string): string;
export function readRecord(home: string): ToolRecord | undefined;
export function isCurrent(record: ToolRecord | undefined, lock: string): record is ToolRecord;
export function writeRecord(home: string, record: ToolRecord): void;
