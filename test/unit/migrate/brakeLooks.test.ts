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

const never = new AbortController().signal;

test("writes wait as long as a majority is behind, and people are told once", async () => {
	const notes: string[] = [];
	const brake = new Brake(answering({ lag: 30 }, { lag: 20 }, { lag: 0 }), (note) => notes.push(note));
	await brake.clear(never);
	expect(notes).toEqual(["writes wait: a majority of the members is 30 s behind", "writes go on"]);
});

test("a stop ends the waiting", async () => {
	const stop = new AbortController();
	setTimeout(() => stop.abort(), 50);
	const waiting = new Brake(answering({ lag: 30 }), () => {}).clear(stop.signal);
	await expect(waiting).rejects.toThrow("HF_RETRY: stopped while the replica set did not follow");
});

test("a user who may not ask is told once that nothing waits", async () => {
	const notes: string[] = [];
	const refused = new MongoServerError({ message: "not authorized", code: 13 });
	const brake = new Brake(answering(refused), (note) => notes.push(note));
	await brake.clear(never);
	await brake.clear(never);
	expect(notes).toEqual(["writes do not wait for members that cannot follow: the user lacks the role clusterMonitor"]);
});

test("a look that does not come through holds nothing up", async () => {
	const notes: string[] = [];
	await new Brake(answering(new Error("connection closed")), (note) => notes.push(note)).clear(never);
	expect(notes).toEqual([]);
});
