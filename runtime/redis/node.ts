import { hostport } from "../platform/model.ts";
import { Batcher, type BatchLimits } from "./batch.ts";
import { Breaker } from "./breaker.ts";
import { ReadCarrier, redisKey, storeCarrier } from "./carriers.ts";
import { type Argument, Connection, type Credentials } from "./connection.ts";
import { askFacts } from "./facts.ts";
import { NodeFailure, refusal } from "./failure.ts";
import { afterInput } from "./late.ts";
import { markText } from "./mark.ts";
import * as pageScripts from "./pageScripts.ts";
import { type PackedRecords, packHeaders, recordPage, unpackHeaders } from "./pages.ts";
import type { HeaderPage, Mark, NodeFacts, RecordPage, RedisNode, Stored, StoreMode } from "./port.ts";
import * as scripts from "./script.ts";

export interface NodeOptions {
	host: string;
	port: number;
	/** ACL user and password; asked at every connect, so that a rotated password is taken up. @default none */
	credentials?: () => Credentials | Promise<Credentials>;
	/** Milliseconds within which a write is answered. @default 1000 */
	writeTimeoutMs?: number;
	/** Milliseconds within which a read is answered; everything else has the longer of both. @default 1000 */
	readTimeoutMs?: number;
	/** Milliseconds that a connect may take. @default 2000 */
	connectTimeoutMs?: number;
	/** Milliseconds for which a record outlives its expiry, and a tombstone its delete. @default 10 days */
	graceMs?: number;
	/** Bounds of what travels together and of what may wait. */
	limits?: Partial<Omit<BatchLimits, "timeoutMs">>;
}

const dayMs = 86_400_000;
const limits = { items: 500, bytes: 2 ** 20, inFlight: 4, waitingItems: 20_000, waitingBytes: 64 * 2 ** 20 };
/** Reads that travel together at most: how large their values are is only a guess. */
const readItems = 128;
/** Of a call beside its key and value. */
const callBytes = 128;

/** Connects in the background; calls fail with UNREACHABLE until then, except `facts`, which waits within its time-out. */
export function openNode(options: NodeOptions): RedisNode {
	return new Node(options);
}

class Node implements RedisNode {
	readonly name: string;
	readonly #connection: Connection;
	readonly #breaker: Breaker;
	readonly #stores: Batcher<{ key: Buffer; record: Buffer }, Stored>;
	readonly #carrier: ReadCarrier;
	readonly #reads: Batcher<Buffer, Buffer | undefined>;
	readonly #timeoutMs: number;
	readonly #grace: string;
	readonly #late: NodeFailure;

	constructor({ host, port, credentials, graceMs = 10 * dayMs, ...options }: NodeOptions) {
		const { writeTimeoutMs = 1000, readTimeoutMs = 1000 } = options;
		this.name = hostport({ host, port });
		this.#timeoutMs = Math.max(writeTimeoutMs, readTimeoutMs);
		this.#grace = String(graceMs);
		this.#late = new NodeFailure(this.name, "TIMEOUT", "unknown", "did not answer in time");
		this.#connection = new Connection({
			...{ name: this.name, host, port, connectTimeoutMs: options.connectTimeoutMs ?? 2000 },
			...{ silenceMs: Math.max(10_000, 3 * this.#timeoutMs), ...(credentials && { credentials }) },
		});
		this.#breaker = new Breaker(this.name, () => {
			this.#stores.drop(this.#breaker.failure);
			this.#reads.drop(this.#breaker.failure);
		});
		const bounds = { ...limits, ...options.limits };
		const guard = (work: () => Promise<void>) => this.#breaker.run(work);
		const stores = storeCarrier(this.name, this.#connection, this.#grace, guard);
		this.#stores = new Batcher(this.name, stores, { ...bounds, timeoutMs: writeTimeoutMs });
		this.#carrier = new ReadCarrier(this.#connection, guard);
		this.#reads = new Batcher(this.name, this.#carrier, {
			...bounds,
			items: Math.min(readItems, bounds.items),
			timeoutMs: readTimeoutMs,
		});
	}

	get isAvailable(): boolean {
		return this.#breaker.isClosed;
	}

	get connections(): number {
		return this.#connection.connections;
	}

	store(key: Buffer, record: Buffer): Promise<Stored> {
		if (!this.#breaker.isClosed) return Promise.reject(this.#breaker.failure);
		return this.#stores.add({ key, record }, callBytes + key.length + record.length);
	}

	read(key: Buffer): Promise<Buffer | undefined> {
		if (!this.#breaker.isClosed) return Promise.reject(this.#breaker.failure);
		return this.#reads.add(key, callBytes + key.length + this.#carrier.expected);
	}

	facts(): Promise<NodeFacts> {
		return this.#breaker.probe(() =>
			this.#inTime(this.#connection.ready(this.#timeoutMs).then(() => askFacts(this.#connection))),
		);
	}

	async writeMark(mark: Mark): Promise<void> {
		await this.#call(() => this.#connection.send(["SET", scripts.markKey, markText(mark)]));
	}

	async replaceMark(mark: Mark, seen = ""): Promise<boolean> {
		return (await this.#run(scripts.replaceMark, [scripts.markKey], [markText(mark), seen])) === 1;
	}

	async headers(cursor: string, count: number): Promise<HeaderPage> {
		const reply = await this.#run(pageScripts.headersPage, [], [cursor, String(count)]);
		const [next, packed] = reply as [Buffer, Buffer];
		return { cursor: next.toString(), entries: unpackHeaders(packed) };
	}

	async records(cursor: string, count: number): Promise<RecordPage> {
		return recordPage((await this.#run(pageScripts.recordsPage, [], [cursor, String(count)])) as PackedRecords);
	}

	async lacking(entries: HeaderPage["entries"]): Promise<readonly Buffer[]> {
		if (entries.length === 0) return [];
		const said = (await this.#run(pageScripts.lackingHere, [], [packHeaders(entries)])) as Buffer;
		return entries.filter((_, at) => said[at] === "1".charCodeAt(0)).map(({ key }) => key);
	}

	async pick(keys: readonly Buffer[]): Promise<RecordPage> {
		if (keys.length === 0) return { cursor: "", records: Buffer.alloc(0), count: 0, large: [] };
		return recordPage((await this.#run(pageScripts.pickRecords, keys.map(redisKey), [])) as PackedRecords);
	}

	async take(page: RecordPage, mode: StoreMode): Promise<number> {
		if (page.count === 0) return 0;
		const reply = await this.#run(pageScripts.takePage, [], [mode, this.#grace, page.records]);
		const [stored, error] = reply as [number, Buffer];
		// What came before stands: taking the page in again is harmless.
		if (error.length > 0) throw refusal(this.name, error.toString());
		return stored;
	}

	async erase(cursor: string, count: number): Promise<string> {
		const next = await this.#run(pageScripts.erasePage, [], [cursor, String(count)]);
		return (next as Buffer).toString();
	}

	async lease(token: string, ms: number): Promise<boolean> {
		return (await this.#run(scripts.takeLease, [scripts.lockKey], [token, String(ms)])) === 1;
	}

	async release(token: string): Promise<void> {
		await this.#run(scripts.releaseLease, [scripts.lockKey], [token]);
	}

	async close(): Promise<void> {
		await this.#inTime(Promise.all([this.#stores.drained(), this.#reads.drained()])).catch(() => {});
		await this.#connection.close(this.#timeoutMs);
	}

	#run(script: scripts.Script, keys: readonly Argument[], args: readonly Argument[]): Promise<unknown> {
		return this.#call(() => this.#connection.run(script, keys, args));
	}

	#call<T>(call: () => Promise<T>): Promise<T> {
		return this.#breaker.run(() => this.#inTime(call()));
	}

	#inTime<T>(work: Promise<T>): Promise<T> {
		return new Promise((resolve, reject) => {
			const timer = afterInput(this.#timeoutMs, () => reject(this.#late));
			work.then(resolve, reject).finally(() => clearTimeout(timer));
		});
	}
}
