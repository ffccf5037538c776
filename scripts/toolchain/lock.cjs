// A lock file that names its owner. CommonJS, because scripts/bootstrap.mjs needs it before Node 24 is there.
const fs = require("node:fs");
const os = require("node:os");
const { randomUUID } = require("node:crypto");
const { setTimeout: sleep } = require("node:timers/promises");

/** Start time of a process in clock ticks since boot: tells a process from a later one with the same pid. */
function startOf(pid) {
	try {
		const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
		return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
	} catch {
		return undefined;
	}
}

function alive(owner) {
	// A pid of another machine says nothing here: such an owner counts as alive.
	if (owner.host !== os.hostname()) return true;
	try {
		process.kill(owner.pid, 0);
	} catch (error) {
		if (error.code === "ESRCH") return false;
	}
	return owner.start === undefined || owner.start === startOf(owner.pid);
}

function read(path) {
	try {
		return JSON.parse(fs.readFileSync(path, "utf8"));
	} catch (error) {
		if (error.code === "ENOENT") return undefined;
		throw error;
	}
}

/** Links a complete file into place, so that nobody ever reads half an owner. */
function place(path, owner) {
	const draft = `${path}.${owner.id}.new`;
	fs.writeFileSync(draft, JSON.stringify(owner), { mode: 0o600 });
	try {
		fs.linkSync(draft, path);
		return true;
	} catch (error) {
		if (error.code === "EEXIST") return false;
		throw error;
	} finally {
		fs.unlinkSync(draft);
	}
}

/**
 * Takes the lock, or returns its living owner. A dead owner's lock is removed under a lock named after that owner:
 * whoever holds it, and nobody else, may remove exactly that file, so two waiters cannot remove each other's.
 */
function seize(path, what) {
	const owner = { id: randomUUID(), pid: process.pid, start: startOf(process.pid), host: os.hostname(), what };
	for (;;) {
		if (place(path, owner)) return { release: () => fs.rmSync(path, { force: true }) };
		const holder = read(path);
		if (holder === undefined) continue;
		if (alive(holder)) return { holder };
		const breaker = seize(`${path}.${holder.id}`, "removing a dead owner's lock");
		if (breaker.holder) return { holder: breaker.holder };
		try {
			if (read(path)?.id === holder.id) fs.unlinkSync(path);
		} finally {
			breaker.release();
		}
	}
}

async function acquire(path, what, waiting, until) {
	let waited;
	try {
		for (;;) {
			const { release, holder } = seize(path, what);
			if (release) return release;
			waited ??= waiting(holder);
			if (Date.now() > until) {
				throw new Error(`process ${holder.pid} on ${holder.host} (${holder.what}) still holds ${path}`);
			}
			await sleep(250);
		}
	} finally {
		waited?.();
	}
}

/**
 * Runs `work` while holding the lock at `path`. `waiting(holder)` is called once if another process has it, and the
 * function it returns when the wait is over; after `deadlineMs` it gives up with an error that names the holder.
 */
async function withLock(path, what, { waiting, deadlineMs }, work) {
	const release = await acquire(path, what, waiting, Date.now() + deadlineMs);
	try {
		return await work();
	} finally {
		release();
	}
}

module.exports = { seize, withLock };
