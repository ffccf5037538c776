import { desiredSet } from "../../../runtime/mongo/desired.ts";
import type { ReplicaSetInputs } from "../../../runtime/mongo/model.ts";
import type { ConfigMember, ObservedSet } from "../../../runtime/mongo/state.ts";

const rank = { votes: 1, priority: 1, hidden: false, arbiterOnly: false } as const;
const found = (...members: Partial<ConfigMember>[]): Pick<ObservedSet, "config"> => ({
	config: {
		_id: "rs0",
		version: 1,
		term: 1,
		members: members.map((member, _id) => ({ _id, host: `h:${_id}`, ...rank, rest: {}, ...member })),
		settings: { replicaSetId: "650000000000000000000001", electionTimeoutMillis: 9000, rest: {} },
		rest: {},
	},
});
const wanted = (...members: Partial<ReplicaSetInputs["members"][number]>[]) =>
	members.map((member, slot) => ({ host: `h:${slot}`, member: "", ...member }));
const ranks = (members: ReplicaSetInputs["members"], set: Pick<ObservedSet, "config">) =>
	desiredSet({ members, settings: {} }, set).members.map(({ votes, priority, hidden, arbiterOnly }) => [
		votes,
		priority,
		hidden,
		arbiterOnly,
	]);

test("what is declared in full is what is wanted, whatever is there", () => {
	const members = wanted(rank, { ...rank, priority: 5 });
	const { members: result, electionTimeoutMillis } = desiredSet(
		{ members, settings: { electionTimeoutMillis: 2000 } },
		found({ priority: 3 }, { votes: 0 }),
	);
	expect(result).toEqual([
		{ host: "h:0", ...rank },
		{ host: "h:1", ...rank, priority: 5 },
	]);
	expect(electionTimeoutMillis).toBe(2000);
});

test("what is not mentioned stays: rank, hidden member, arbiter, even count, election timeout", () => {
	const set = found({ priority: 3 }, {}, { hidden: true, priority: 0 }, { arbiterOnly: true, priority: 0 });
	expect(ranks(wanted({}, {}, {}, {}), set)).toEqual([
		[1, 3, false, false],
		[1, 1, false, false],
		[1, 0, true, false],
		[1, 0, false, true],
	]);
	expect(desiredSet({ members: wanted({}), settings: {} }, set).electionTimeoutMillis).toBe(9000);
});

test("one thing that is mentioned changes alone, and takes the priority along where it must", () => {
	const set = found({ priority: 3 }, { priority: 3 }, { priority: 3 });
	expect(ranks(wanted({ priority: 7 }, { hidden: true }, { votes: 0 }), set)).toEqual([
		[1, 7, false, false],
		[1, 0, true, false],
		[0, 0, false, false],
	]);
});

test("newcomers vote, but for the last of an even number and those beyond the seventh", () => {
	const three = found({}, {}, {});
	expect(ranks(wanted({}, {}, {}, {}, {}), three).map(([votes]) => votes)).toEqual([1, 1, 1, 1, 1]);
	expect(ranks(wanted({}, {}, {}, {}), three).map(([votes, priority]) => [votes, priority])[3]).toEqual([0, 0]);
	expect(ranks(wanted(...Array(9).fill({})), three).map(([votes]) => votes)).toEqual([1, 1, 1, 1, 1, 1, 1, 0, 0]);
	expect(ranks(wanted({}, {}, {}, { votes: 1 }), three)[3]).toEqual([1, 1, false, false]);
});
