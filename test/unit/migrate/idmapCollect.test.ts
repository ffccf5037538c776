import { keyOf } from "../../../runtime/datastore/key.ts";
import { decodeKey, encodeKey, keyText } from "../../../runtime/migrate/oldKey.ts";
import { type Chosen, collectedKeys } from "../../support/collectedKeys.ts";
import { randomEntities } from "../../support/datastoreFixtures.ts";
import { entity, key, keyIn } from "../../support/datastoreValues.ts";
import { FakeDatastore } from "../../support/fakeSource.ts";
import { seeded } from "../../support/long.ts";

const texts = (entities: ConstructorParameters<typeof FakeDatastore>[0], chosen: Chosen): Promise<string[]> =>
	collectedKeys(new FakeDatastore(entities).open(), chosen);

const all: Chosen = { namespaces: "all", kinds: "all" };

test("ancestors come before their children, whether or not they exist", async () => {
	const entities = [
		...[
			key("Account", 1, "Dataset", 1),
			key("Account", 1, "Dataset", 2),
			key("Account", 1, "Dataset", 2, "Dataset", "x"),
		],
		...[key("Account", 2, "Dataset", 1), keyIn("n", "Account", 1, "Dataset", 1)],
	].map((own) => entity(own, {}));
	const inDefault = [
		...["Account:1", "Account:1/Dataset:1", "Account:1/Dataset:2", 'Account:1/Dataset:2/Dataset:"x"'],
		...["Account:2", "Account:2/Dataset:1"],
	];
	expect(await texts(entities, all)).toEqual([...inDefault, "n!Account:1", "n!Account:1/Dataset:1"]);
	expect(await texts(entities, { namespaces: [""], kinds: ["Dataset"] })).toEqual(inDefault);
	expect(await texts(entities, { namespaces: ["n"], kinds: ["Other"] })).toEqual([]);
});

test("every key and every ancestor of it is there", async () => {
	const entities = randomEntities(seeded("source keys"), "Dataset", 2_500);
	const found = new Set(await texts(entities, all));
	for (const { path, namespace } of entities.map(({ key: own }) => keyOf(own!)))
		for (let depth = 1; depth <= path.length; depth++)
			expect(found).toContain(keyText(decodeKey(encodeKey({ namespace, path: path.slice(0, depth) }))));
});
