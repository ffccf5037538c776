import type { Entity, Value } from "../../runtime/datastore/entity.ts";

export const PROJECT = "dyff-demo";
export const SOURCE = "dyff-old";
export const TARGET = "dyff-new";

type Id = { id: string } | { name: string };

const keyOf = (kind: string, id: Id) => ({ partitionId: { projectId: PROJECT }, path: [{ kind, ...id }] });
const text = (stringValue: string): Value => ({ stringValue });
const whole = (value: number): Value => ({ integerValue: String(value) });
const list = (values: Value[]): Value => ({ arrayValue: { values } });
const reference = (kind: string, id: Id): Value => ({ keyValue: keyOf(kind, id) });
const microseconds = (count: number): Value => ({ timestampValue: { seconds: "1763719200", nanos: count * 1000 } });

const accounts = ["acme", "globex", "initech", "umbrella", "zürich"];
const datasets = [...Array(20).keys()].map((index) => `dataset-${index}`);
const reports = [...Array(60).keys()].map((index) => index + 1);
const inputsOf = (report: number): string[] => [0, 1].map((offset) => datasets[(report + offset) % 20]!);

const account = (name: string, index: number): Entity => ({
	key: keyOf("Account", { name }),
	properties: {
		name: text(name),
		quota: whole(2 ** 40 + index),
		place: { geoPointValue: { latitude: 47.37 + index, longitude: 8.54 } },
	},
});

const dataset = (name: string, index: number): Entity => ({
	key: keyOf("Dataset", { name }),
	properties: {
		owner: reference("Account", { name: accounts[index % 5]! }),
		rows: whole(3),
		weight: { doubleValue: 3 },
		created: microseconds(index * 1111),
		checksum: { blobValue: Buffer.from([index, 255]) },
	},
});

const report = (id: number): Entity => ({
	key: keyOf("Report", { id: String(id) }),
	properties: {
		inputs: list(inputsOf(id).map((name) => reference("Dataset", { name }))),
		score: id % 7 === 0 ? { nullValue: "NULL_VALUE" } : { doubleValue: id / 4 },
		review: {
			entityValue: { properties: { by: reference("Account", { name: accounts[id % 5]! }), "a.b": text("a dot") } },
		},
		debug: text("left out by a rule"),
	},
});

/** Entities of three kinds that refer to each other. */
export const entities: Entity[] = [...accounts.map(account), ...datasets.map(dataset), ...reports.map(report)];

/** Objects whose names, and some whose contents, have ids of these entities in them. */
export const objects: { name: string; type: string; text: string }[] = [
	...accounts.map((name) => ({ name: `accounts/${name}/logo.txt`, type: "text/plain", text: `logo of ${name}\n` })),
	...datasets.map((name) => ({
		name: `datasets/${name}/rows.ndjson`,
		type: "application/x-ndjson",
		text: [1, 2, 3].map((row) => `${JSON.stringify({ dataset: name, row })}\n`).join(""),
	})),
	...reports.map((id) => ({
		name: `reports/${id}.json`,
		type: "application/json",
		text: JSON.stringify({ report: id, inputs: inputsOf(id) }),
	})),
];
