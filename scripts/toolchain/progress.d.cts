export interface Output {
	isTTY?: boolean;
	columns?: number;
	write(text: string): unknown;
}
export class Progress {
	constructor(stream?: Output, heartbeatMs?: number);
	line(text: string): void;
	start(label: string, hint?: string): (outcome: string) => void;
}
