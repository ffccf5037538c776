// What is going on during set-up, on standard error: standard output belongs to the command that follows.
const HEARTBEAT_MS = 10_000;

function clock(ms) {
	const seconds = Math.floor(ms / 1000);
	return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

class Progress {
	constructor(stream = process.stderr, heartbeatMs = HEARTBEAT_MS) {
		this.stream = stream;
		this.heartbeatMs = heartbeatMs;
		this.active = new Map();
	}

	/** Prints one line for good; a live counter below it is drawn again at its next tick. */
	line(text) {
		this.stream.write(`${this.stream.isTTY ? "\r\x1b[K" : ""}holdfast: ${text}\n`);
	}

	/** `label` names the work in a few words; `hint` says how long it usually takes. Returns the function that ends it. */
	start(label, hint) {
		const task = { began: Date.now() };
		this.line(hint === undefined ? label : `${label}, ${hint}`);
		this.active.set(label, task);
		this.timer ??= setInterval(() => this.tick(), this.stream.isTTY ? 1000 : this.heartbeatMs);
		return (outcome) => {
			this.active.delete(label);
			if (this.active.size === 0) {
				clearInterval(this.timer);
				this.timer = undefined;
			}
			this.line(`${label}: ${outcome} (${clock(Date.now() - task.began)})`);
		};
	}

	tick() {
		const now = Date.now();
		const text = [...this.active].map(([label, { began }]) => `${label} ${clock(now - began)}`).join(", ");
		if (this.stream.isTTY) this.stream.write(`\r\x1b[K${text.slice(0, (this.stream.columns ?? 80) - 1)}`);
		else this.line(`still ${text}`);
	}
}

module.exports = { Progress };
