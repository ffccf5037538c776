import { randomBytes } from "node:crypto";
import { NodeFailure } from "../../runtime/redis/failure.ts";
import { markText } from "../../runtime/redis/mark.ts";
import type {
	HeaderPage,
	Mark,
	NodeFacts,
	RecordPage,
	RedisNode,
	Stored,
	StoreMode,
} from "../../runtime/redis/port.ts";
import { headerOf, physicalExpiry } from "../../runtime/redis/record.ts";

/** Time of a simulated world; nothing passes unless it is said so. */
export interface FakeTime {
	now: number;
}

interface Contents {
	records: Map<string, Buffer>;
	mark?: string;
}

/** A Redis server in memory, as honest as a test of membership needs it: compare-and-set, expiry, restarts with loss. */
export class FakeRedisServer {
	readonly name: string;
	readonly #time: FakeTime;
	readonly #graceMs: number;
	runId = randomBytes(20).toString("hex");
	starts = 1;
	up = true;
	/** Answers no more, but what is sent to it takes effect when it goes on. */
	#frozen = false;
	#late: (() => void)[] = [];
	/** Every write to it fails. */
	isFull = false;
	#now: Contents = { records: new Map() };
	/** What is safe on disk. */
	#disk: Contents = { records: new Map() };
	lock?: { token: string; until: number };

	constructor(name: string, time: FakeTime, graceMs: number) {
		this.name = name;
		this.#time = time;
		this.#graceMs = graceMs;
	}

	/** Writes everything to disk. */
	sync(): void {
		this.#disk = { records: new Map(this.#now.records), ...(this.#now.mark ? { mark: this.#now.mark } : {}) };
	}

	/** Whether a crash now would lose anything. */
	get isDirty(): boolean {
		const { records, mark } = this.#disk;
		if (mark !== this.#now.mark || records.size !== this.#now.records.size) return true;
		return [...this.#now.records].some(([key, record]) => records.get(key) !== record);
	}

	/** Ends it; what is not on disk is gone unless it is `clean`. */
	stop({ clean = false } = {}): void {
		if (clean) this.sync();
		this.up = false;
		this.#frozen = false;
		this.#late = [];
		this.#now = { records: new Map(this.#disk.records), ...(this.#disk.mark ? { mark: this.#disk.mark } : {}) };
		delete this.lock;
	}

	start(): void {
		if (this.up) return;
		this.up = true;
		this.starts++;
		this.runId = randomBytes(20).toString("hex");
	}

	/** Takes away all that it holds, mark included, as an empty disk does. */
	lose(): void {
		this.#now = { records: new Map() };
		this.sync();
	}

	freeze(): void {
		this.#frozen = this.up;
	}

	thaw(): void {
		this.#frozen = false;
		for (const effect of this.#late.splice(0)) effect();
	}

	get isFrozen(): boolean {
		return this.#frozen;
	}

	/** What a frozen server does as soon as it goes on. */
	later(effect: () => void): void {
		this.#late.push(effect);
	}

	get markText(): string | undefined {
		return this.#now.mark;
	}

	get mark(): Mark | undefined {
		return this.markText === undefined ? undefined : (JSON.parse(this.markText) as Mark);
	}

	set mark(mark: Mark | undefined) {
		if (mark) this.#now.mark = markText(mark);
		else delete this.#now.mark;
	}

	get clock(): number {
		return this.#time.now;
	}

	/** Records that have not expired physically. */
	get records(): Map<string, Buffer> {
		for (const [key, record] of this.#now.records) {
			const end = physicalExpiry(headerOf(record)!, this.#graceMs);
			if (end !== undefined && end <= this.#time.now) this.#now.records.delete(key);
		}
		return this.#now.records;
	}

	store(key: string, record: Buffer): Stored {
		const before = this.records.get(key);
		const standing = before && headerOf(before)!;
		if (standing !== undefined && standing > headerOf(record)!) return { stored: false, before: standing };
		this.records.set(key, record);
		return { stored: true };
	}
}

export interface FakeLink {
	/** Nothing passes. */
	cut: boolean;
	/** Calls of this name are lost on the way. */
	deafTo?: string | undefined;
	/** How often it was cut. */
	cuts: number;
	/** Calls that passed, by name. */
	calls: Map<string, number>;
}

export const openLink = (): FakeLink => ({ cut: false, cuts: 0, calls: new Map() });

/** One manager's way to a server. A failed call says so at once: time does not pass here. */
export class FakeRedisNode implements RedisNode {
	readonly server: FakeRedisServer;
	readonly link: FakeLink;
	constructor(server: FakeRedisServer, link: FakeLink = openLink()) {
		this.server = server;
		this.link = link;
	}

	get name(): string {
		return this.server.name;
	}

	get isAvailable(): boolean {
		return this.server.up && !this.link.cut;
	}

	get connections(): number {
		return this.server.starts * 1000 + this.link.cuts;
	}

	async #call<T>(name: string, effect: (server: FakeRedisServer) => T): Promise<T> {
		const { server, link } = this;
		if (link.deafTo === name) throw new NodeFailure(this.name, "HELD", "unknown", "did not answer");
		const connection = this.connections;
		await undefined;
		// Not one of the codes that are tried again: pauses would be real time.
		if (!server.up || link.cut || connection !== this.connections)
			throw new NodeFailure(this.name, "REFUSED", "failed", "cannot be reached");
		if (server.isFrozen) {
			server.later(() => effect(server));
			throw new NodeFailure(this.name, "HELD", "unknown", "did not answer");
		}
		link.calls.set(name, (link.calls.get(name) ?? 0) + 1);
		const result = effect(server);
		await undefined;
		return result;
	}

	#full(): void {
		if (this.server.isFull) throw new NodeFailure(this.name, "OUT_OF_MEMORY", "failed", "is full");
	}

	store(key: Buffer, record: Buffer): Promise<Stored> {
		return this.#call("store", (server) => {
			this.#full();
			return server.store(key.toString("latin1"), record);
		});
	}

	read(key: Buffer): Promise<Buffer | undefined> {
		return this.#call("read", ({ records }) => records.get(key.toString("latin1")));
	}

	facts(): Promise<NodeFacts> {
		return this.#call("facts", ({ runId, mark, markText, records, clock }) => ({
			...{ runId, version: "7.0.15", hasRecords: records.size > 0, clock, durability: "everysec" },
			...{ memory: { used: 0, limit: 0 }, ...(mark && markText ? { mark, markText } : {}) },
		}));
	}

	writeMark(mark: Mark): Promise<void> {
		return this.#call("writeMark", (server) => {
			server.mark = mark;
		});
	}

	replaceMark(mark: Mark, seen?: string): Promise<boolean> {
		return this.#call("replaceMark", (server) => {
			if (server.markText !== seen && server.markText !== markText(mark)) return false;
			server.mark = mark;
			return true;
		});
	}

	#page(cursor: string, count: number): { next: string; keys: string[] } {
		const keys = [...this.server.records.keys()].sort();
		const from = cursor === "0" ? keys : keys.filter((key) => key > Buffer.from(cursor, "hex").toString("latin1"));
		const page = from.slice(0, count);
		const last = page.at(-1);
		const next = from.length > page.length && last !== undefined ? Buffer.from(last, "latin1").toString("hex") : "0";
		// An empty key would read as the first cursor.
		return { next: next === "" ? "0" : next, keys: page };
	}

	headers(cursor: string, count: number): Promise<HeaderPage> {
		return this.#call("headers", ({ records }) => {
			const { next, keys } = this.#page(cursor, count);
			const entries = keys.map((key) => ({ key: Buffer.from(key, "latin1"), header: headerOf(records.get(key)!)! }));
			return { cursor: next, entries };
		});
	}

	records(cursor: string, count: number): Promise<RecordPage> {
		return this.#call("records", ({ records }) => {
			const { next, keys } = this.#page(cursor, count);
			return { cursor: next, ...pack(keys, records) };
		});
	}

	lacking(entries: HeaderPage["entries"]): Promise<readonly Buffer[]> {
		return this.#call("lacking", ({ records }) =>
			entries
				.filter(({ key, header }) => {
					const here = records.get(key.toString("latin1"));
					return here === undefined || headerOf(here)! < header;
				})
				.map(({ key }) => key),
		);
	}

	pick(keys: readonly Buffer[]): Promise<RecordPage> {
		return this.#call("pick", ({ records }) => {
			const there = keys.map((key) => key.toString("latin1")).filter((key) => records.has(key));
			return { cursor: "", ...pack(there, records, true) };
		});
	}

	take(page: RecordPage, _mode: StoreMode): Promise<number> {
		return this.#call("take", (server) => {
			this.#full();
			return unpack(page.records).filter(([key, record]) => {
				const standing = server.records.get(key);
				if (standing && headerOf(standing)! >= headerOf(record)!) return false;
				return server.store(key, record).stored;
			}).length;
		});
	}

	erase(cursor: string, count: number): Promise<string> {
		return this.#call("erase", ({ records }) => {
			const { next, keys } = this.#page(cursor, count);
			for (const key of keys) records.delete(key);
			return next;
		});
	}

	lease(token: string, ms: number): Promise<boolean> {
		return this.#call("lease", (server) => {
			const { lock, clock } = server;
			if (lock && lock.token !== token && lock.until > clock) return false;
			server.lock = { token, until: clock + ms };
			return true;
		});
	}

	release(token: string): Promise<void> {
		return this.#call("release", (server) => {
			if (server.lock?.token === token) delete server.lock;
		});
	}

	async close(): Promise<void> {}
}

/** Records above this many bytes do not travel in pages. */
const LARGE = 1000;

function pack(
	keys: readonly string[],
	records: ReadonlyMap<string, Buffer>,
	whole = false,
): Omit<RecordPage, "cursor"> {
	const large: Buffer[] = [];
	const packed: [string, string][] = [];
	for (const key of keys) {
		const record = records.get(key)!;
		if (record.length > LARGE && !(whole && packed.length === 0)) large.push(Buffer.from(key, "latin1"));
		else packed.push([key, record.toString("latin1")]);
	}
	return { records: Buffer.from(JSON.stringify(packed)), count: packed.length, large };
}

const unpack = (records: Buffer): [string, Buffer][] =>
	(JSON.parse(records.toString()) as [string, string][]).map(([key, text]) => [key, Buffer.from(text, "latin1")]);
