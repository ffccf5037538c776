import { type MongoClient, MongoServerError } from "mongodb";
import { Brake } from "../../../runtime/migrate/brake.ts";

interface Look {
	/** Seconds that a majority is behind. */
	lag: number;
}

/** A set that answers one look after the other, the last one again and again. */
function answering(...looks: (Look | Error)[]): MongoClient {
	let asked = 0;
	const status = async () => {
		const look = looks[Math.min(asked++, looks.length - 1)]!;
		if (look instanceof Error) throw look;
		const applied = new Date(1_000_000);
		const optimes = { lastAppliedWallTime: applied, lastCommittedWallTime: new Date(1_000_000 - look.lag * 1000) };
		return { optimes, members: [{ name: "b:1", optimeDate: applied }] };
	};
	const command = (what: object) =>
		"replSetGetStatus" in what ? status() : Promise.resolve({ size: 1, maxSize: 1000 });
	const cursor = { sort: () => cursor, limit: () => cursor, next: async () => ({ wall: new Date(1_000_000) }) };
	return { db: () => ({ command, collection: () => ({ find: () => cursor }) }) } as unknown as MongoClient;
}

/** Looks every 5 ms. */
const braking = (client: MongoClient, notes: string[] = [], patienceMs = 600_000) =>
	new Brake(client, (note) => notes.push(note), { pollMs: 5, patienceMs });
const never = new AbortController().signal;

test("writes wait as long as a majority is behind, and people are told once", async () => {
	const notes: string[] = [];
	await braking(answering({ lag: 30 }, { lag: 20 }, { lag: 0 }), notes).clear(never);
	expect(notes).toEqual(["writes wait: a majority of the members is 30 s behind", "writes go on"]);
});

test("a set that does not catch up ends the run, to be tried again; time without need to wait does not count", async () => {
	const brake = braking(answering({ lag: 30 }, { lag: 0 }, { lag: 11 }), [], 200);
	const begin = performance.now();
	await brake.clear(never);
	const writing = async () => {
		for (;;) await brake.clear(never);
	};
	await expect(writing()).rejects.toMatchObject({
		code: "HF_RETRY",
		message: expect.stringContaining("the replica set does not catch up: a majority of the members is 11 s behind"),
		next: expect.stringContaining("holdfast status"),
	});
	expect(performance.now() - begin).toBeGreaterThan(200);
});

test("a stop ends the waiting", async () => {
	const stop = new AbortController();
	setTimeout(() => stop.abort(), 50);
	const waiting = braking(answering({ lag: 30 })).clear(stop.signal);
	await expect(waiting).rejects.toThrow("HF_RETRY: stopped while the replica set did not follow");
});

test("a user who may not ask is told once that nothing waits", async () => {
	const notes: string[] = [];
	const refused = new MongoServerError({ message: "not authorized", code: 13 });
	const brake = braking(answering(refused), notes);
	await brake.clear(never);
	await brake.clear(never);
	expect(notes).toEqual(["writes do not wait for members that cannot follow: the user lacks the role clusterMonitor"]);
});

test("a look that does not come through holds nothing up", async () => {
	const notes: string[] = [];
	await braking(answering(new Error("connection closed")), notes).clear(never);
	expect(notes).toEqual([]);
});
