/**
 * Calls back after `ms`, and not before the input that has arrived by then was read: a manager that was busy itself for
 * a while does not take it for the silence of others. What is called may be called although its timer was cleared.
 */
export function afterInput(ms: number, callback: () => void): NodeJS.Timeout {
	return setTimeout(() => setImmediate(callback), ms);
}
