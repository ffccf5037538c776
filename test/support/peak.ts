/**
 * For the script of a child process: `peak`, the most resident memory that it ever had, in KiB. Not `maxRSS`, which
 * begins with that of the process that started it.
 */
export const peakOfThis = `const { readFileSync } = await import("node:fs");
const peak = Number(/^VmHWM:\\s+(\\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))[1]);`;
