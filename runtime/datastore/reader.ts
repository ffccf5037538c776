import { HoldfastError } from "../errors.ts";
import type { Caller } from "./caller.ts";
import type { DatastoreClient } from "./client.ts";
import type { Entity, Key, protos } from "./entity.ts";
import { isRefusedForm } from "./failure.ts";
import { head, type IQuery, type Place } from "./query.ts";
import { isReadAt } from "./readTime.ts";

type Batch = protos.google.datastore.v1.IQueryResultBatch;

/** Single reads of one database at one moment. */
export class Reader {
	readonly place: Place;
	readonly #client: DatastoreClient;
	readonly #caller: Caller;
	/** Whether answers must be of the read time. */
	readonly #checked: boolean;

	constructor(client: DatastoreClient, caller: Caller, place: Place, checked: boolean) {
		this.place = place;
		this.#client = client;
		this.#caller = caller;
		this.#checked = checked && place.readTime !== undefined;
	}

	/**
	 * One batch of a query: what the server has ready, which may be less than the limit. Empty only at the end of the
	 * query. `metadata`: answers tell no time.
	 */
	async batch(what: string, namespace: string, query: IQuery, metadata = false): Promise<Batch> {
		let startCursor = query.startCursor;
		for (;;) {
			const request = { ...head(this.place, namespace), query: { ...query, ...(startCursor && { startCursor }) } };
			const [{ batch }] = await this.#caller.call(what, (options) => this.#client.runQuery(request, options));
			if (!batch) throw new HoldfastError("HF_REJECTED", `${what}: the server's answer holds no results`);
			if (!metadata) this.#check(what, batch.readTime);
			if (batch.entityResults?.length || batch.moreResults !== "NOT_FINISHED") return batch;
			startCursor = batch.endCursor;
		}
	}

	/** All that a query with a limit finds. */
	async all(what: string, namespace: string, query: IQuery): Promise<Entity[]> {
		const found: Entity[] = [];
		for (let [batch, rest]: [Batch?, IQuery?] = [undefined, query]; ; ) {
			batch = await this.batch(what, namespace, rest!);
			for (const { entity } of batch.entityResults ?? []) if (entity) found.push(entity);
			const left = (query.limit?.value ?? 0) - found.length;
			if (batch.moreResults !== "NOT_FINISHED" || left <= 0) return found;
			rest = { ...query, startCursor: batch.endCursor, limit: { value: left } };
		}
	}

	/** By an aggregation; `undefined` where the server has none. */
	async count(what: string, namespace: string, kind: string): Promise<number | undefined> {
		const aggregationQuery = { nestedQuery: { kind: [{ name: kind }] }, aggregations: [{ alias: "n", count: {} }] };
		const request = { ...head(this.place, namespace), aggregationQuery };
		const answer = await this.#caller.call(what, async (options) => {
			try {
				return await this.#client.runAggregationQuery(request, options);
			} catch (error) {
				if (isRefusedForm(error as Error)) return undefined;
				throw error;
			}
		});
		const batch = answer?.[0].batch;
		if (!batch) return undefined;
		this.#check(what, batch.readTime);
		return Number(batch.aggregationResults?.[0]?.aggregateProperties?.n?.integerValue);
	}

	/** The entities that there are of these keys, in any order. */
	async lookup(what: string, keys: readonly Key[]): Promise<Entity[]> {
		const found: Entity[] = [];
		let left = [...keys];
		while (left.length > 0) {
			const request = { ...head(this.place), keys: left };
			const [answer] = await this.#caller.call(what, (options) => this.#client.lookup(request, options));
			this.#check(what, answer.readTime);
			for (const { entity } of answer.found ?? []) if (entity) found.push(entity);
			const deferred = answer.deferred ?? [];
			if (deferred.length >= left.length) throw new HoldfastError("HF_RETRY", `${what}: the server puts off all keys`);
			left = deferred;
		}
		return found;
	}

	/** Whether the server honours the read time. */
	async isHonoured(): Promise<boolean> {
		const query = { kind: [{ name: "Holdfast" }], limit: { value: 1 } };
		const batch = await this.batch("trial of the read time", "", query);
		return isReadAt(batch.readTime, this.place.readTime!);
	}

	#check(what: string, answered: Batch["readTime"]): void {
		if (this.#checked && !isReadAt(answered, this.place.readTime!))
			throw new HoldfastError("HF_REJECTED", `${what}: the server answered for another moment than the read time`);
	}
}
