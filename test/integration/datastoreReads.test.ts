import type { Entity } from "../../runtime/datastore/entity.ts";
import { keyOf } from "../../runtime/datastore/key.ts";
import { openSource } from "../../runtime/datastore/open.ts";
import { rawBytes } from "../../runtime/datastore/raw.ts";
import type { DatastoreSource, EntityPage, KeyRange } from "../../runtime/datastore/source.ts";
import { encodeKey } from "../../runtime/migrate/oldKey.ts";
import {
	type DatastoreEmulator,
	describeWithEmulator,
	startDatastore,
	startFirestoreInDatastoreMode,
} from "../support/datastoreEmulator.ts";
import {
	bigEntity,
	everyValue,
	longKey,
	plainEntities,
	randomEntities,
	randomKey,
} from "../support/datastoreFixtures.ts";
import { entity, int, key, keyIn } from "../support/datastoreValues.ts";
import { seeded } from "../support/long.ts";

const encoded = (one: Entity): Buffer => encodeKey(keyOf(one.key!));
const inKeyOrder = (entities: readonly Entity[]): Entity[] =>
	entities.toSorted((a, b) => Buffer.compare(encoded(a), encoded(b)));

/** The Datastore emulator orders names by UTF-16 and not by UTF-8: it has neither order with some names left out. */
const emulators = [
	["the Datastore emulator", startDatastore, (one: Entity) => !JSON.stringify(one.key).includes("\uff21")],
	["the Firestore emulator in Datastore mode", startFirestoreInDatastoreMode, () => true],
] as const;

for (const [name, start, isOrdered] of emulators)
	describeWithEmulator(name, () => {
		let emulator: DatastoreEmulator;
		let source: DatastoreSource;
		beforeAll(async () => {
			emulator = await start();
			source = await openSource({ project: emulator.project, emulator: emulator.address });
		});
		afterAll(async () => {
			await source?.close();
			await emulator?.stop();
		});

		async function pages(range: KeyRange, limit: number, from?: Buffer): Promise<EntityPage[]> {
			const found: EntityPage[] = [];
			for (let page: EntityPage | undefined; !page?.done; found.push(page))
				page = await source.page(range, page?.keys.at(-1) ?? from, limit);
			return found;
		}

		const all = async (kind: string, namespace = ""): Promise<Entity[]> =>
			(await pages({ namespace, kind }, 200)).flatMap(({ entities }) => entities);

		test("every value comes back without loss", async () => {
			const sent = inKeyOrder(
				Object.entries(everyValue()).map(([value, of]) => entity(key("Every", value), { value: of })),
			);
			await emulator.load(sent);
			expect(await all("Every")).toEqual(sent);
			const zero = await source.lookup([encodeKey(keyOf(key("Every", "double -0")))]);
			expect(Object.is(zero[0]!.properties!.value!.doubleValue, -0)).toBe(true);
		});

		test("entities of any shape, name and namespace come back, in the order of our keys", async () => {
			const random = seeded(name);
			for (const namespace of ["", "other"]) {
				const sent = inKeyOrder(randomEntities(random, "Random", 300, namespace).filter(isOrdered));
				await emulator.load(sent);
				const found = await all("Random", namespace);
				expect(found).toEqual(sent);
				expect(await source.lookup(found.map(encoded))).toEqual(sent);
			}
			expect(await source.lookup([encodeKey(keyOf(key("Random", "none")))])).toEqual([undefined]);
		});

		test("keys alone come in the same order, which is that of their bytes", async () => {
			const random = seeded(`${name}, keys`);
			const sent = new Map<string, Entity>();
			for (const own of [longKey("Ordered"), ...Array.from({ length: 2_000 }, () => randomKey(random, "Ordered"))])
				if (isOrdered({ key: own })) sent.set(encodeKey(keyOf(own)).toString("hex"), entity(own, {}));
			await emulator.load([...sent.values()]);
			const wanted = [...sent.keys()].sort();
			expect(wanted.length).toBeGreaterThan(1_000);
			const found: string[] = [];
			for (let page: Awaited<ReturnType<DatastoreSource["keys"]>> | undefined; !page?.done; ) {
				page = await source.keys({ namespace: "", kind: "Ordered" }, page?.keys.at(-1), 300);
				found.push(...page.keys.map((one) => one.toString("hex")));
			}
			expect(found).toEqual(wanted);
		});

		test("names are ordered by UTF-8, or the read is refused", async () => {
			const sent = ["\uff21", "\u{1f600}"].map((of) => entity(key("Utf", of), {}));
			await emulator.load(sent);
			if (isOrdered(sent[0]!)) expect(await all("Utf")).toEqual(sent);
			else await expect(all("Utf")).rejects.toThrow("use the Firestore emulator in Datastore mode");
		});

		test("pages go on after any key, within a range", async () => {
			const sent = plainEntities("Paged", 1_000);
			await emulator.load(sent);
			const keys = sent.map(encoded);
			const range = { namespace: "", kind: "Paged", from: keys[100]!, to: keys[900]! };
			for (const limit of [1, 37, 500]) {
				const found = await pages(range, limit, limit === 1 ? keys[880] : undefined);
				expect(found.flatMap((page) => page.keys)).toEqual(keys.slice(limit === 1 ? 881 : 100, 900));
				for (const page of found) expect(page.keys.length).toBeLessThanOrEqual(limit);
			}
			expect(await source.count("", "Paged")).toBe(1_000);
			expect(await source.count("", "None")).toBe(0);
		});

		test("big entities come in small pages", async () => {
			const sent = Array.from({ length: 24 }, (_, at) => bigEntity(key("Big", at + 1)));
			await emulator.load(sent);
			await pages({ namespace: "", kind: "Big" }, 500);
			const again = await pages({ namespace: "", kind: "Big" }, 500);
			expect(Math.max(...again.map(({ keys }) => keys.length))).toBeLessThanOrEqual(8);
			expect(again.flatMap(({ entities }) => entities).map((one) => rawBytes(one).length)).toEqual(
				sent.map((one) => rawBytes(one).length),
			);
			const found = await source.lookup(sent.map(encoded));
			expect(found.map((one) => one?.key)).toEqual(sent.map((one) => one.key));
		});

		test("a key in another namespace is another key", async () => {
			await emulator.load([
				entity(keyIn("", "Twin", 1), { n: int(1) }),
				entity(keyIn("n.1", "Twin", 1), { n: int(2) }),
			]);
			expect((await all("Twin"))[0]!.properties!.n!.integerValue).toBe("1");
			expect((await all("Twin", "n.1"))[0]!.properties!.n!.integerValue).toBe("2");
		});
	});
