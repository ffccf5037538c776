import { planEtcd } from "../../../runtime/etcd/plan.ts";
import { added, adoptedRecord, type EtcdRecord, remember, started } from "../../../runtime/etcd/record.ts";
import type { DesiredVoters, EtcdStep, ObservedEtcd } from "../../../runtime/etcd/state.ts";
import { CLUSTER, idOf, known, type Sketch, seen, wish } from "../../support/etcdSketch.ts";
import { voter } from "../../support/simulatedEtcdRun.ts";

const three = ["a", "b", "c"];
const dead = { health: undefined } as const;
const gone = { health: undefined, machine: { data: "none", process: "held" } } as const;

const join = (look: ObservedEtcd, desired: DesiredVoters, record: EtcdRecord | undefined = known(three)) =>
	planEtcd(look, desired, record, { phase: "join" });
const retire = (look: ObservedEtcd, desired: DesiredVoters, record: EtcdRecord | undefined = known(three)) =>
	planEtcd(look, desired, record, { phase: "retire" });
const brief = (step: EtcdStep) =>
	[step.kind, "name" in step ? step.name : "", "id" in step ? step.id : ""].filter(Boolean).join(" ");
const sketches = (names: readonly string[]): Sketch[] => names.map((name) => ({ name }));

describe("beginning", () => {
	const machines = (changes: Record<string, object | undefined> = {}): ObservedEtcd => {
		const idle = { data: "none", process: "held", pendingRestart: false } as const;
		const all = three.map((name) => [
			name,
			name in changes && !changes[name] ? undefined : { ...idle, ...changes[name] },
		]);
		return { health: {}, machines: Object.fromEntries(all.filter(([, machine]) => machine)) };
	};
	const begun = known(["a"], { formed: false, voters: [] });

	test("is done by the first voter alone, when there is nothing anywhere", () => {
		expect(planEtcd(machines(), wish(...three), undefined, { phase: "join" })).toEqual({
			kind: "seed",
			name: "a",
			peerURL: "http://a:2380",
			why: "begin the etcd cluster with a alone",
		});
		expect(planEtcd(machines(), wish(...three), undefined, { phase: "retire" })).toEqual({ kind: "done" });
	});

	test("never beside data, an etcd that answers, or a machine that was not looked at", () => {
		const plan = (changes: Record<string, object | undefined>) =>
			planEtcd(machines(changes), wish(...three), undefined, { phase: "join" });
		for (const data of ["present", "partial"])
			expect(plan({ c: { data } })).toMatchObject({
				kind: "refuse",
				code: "HF_FOREIGN",
				why: expect.stringMatching(/^c al/),
			});
		expect(plan({ a: { data: "present" } })).toMatchObject({ kind: "refuse", code: "HF_FOREIGN" });
		expect(plan({ b: { answer: { clusterId: "f", memberId: "1" } } })).toMatchObject({
			kind: "refuse",
			why: "the etcd that answers at the address of b belongs to cluster f, and nothing here proves that it is ours",
		});
		expect(plan({ b: undefined })).toEqual({
			kind: "wait",
			why: "whether b has etcd data is not known: no cluster is begun before",
		});
	});

	test("goes on where it was interrupted: before, within and after the first start", () => {
		const plan = (a: object, more = {}) => brief(join(machines({ a, ...more }), wish(...three), begun));
		expect(plan({})).toBe("seed a");
		expect(plan({ data: "partial" })).toBe("seed a");
		expect(plan({ data: "partial", process: "backing-off" })).toBe("seed a");
		expect(plan({ data: "present", process: "backing-off" })).toBe("wait");
		expect(plan({ data: "present", process: "stopped" })).toBe("start a");
		expect(plan({ data: "present", process: "running" })).toBe("wait");
		expect(plan({ data: "present", process: "running", answer: { clusterId: "f", memberId: "1" } })).toBe("refuse");
		// Its data is there: that of others changes nothing about whose cluster it is.
		expect(plan({ data: "present", process: "stopped" }, { b: { data: "present" } })).toBe("start a");
		expect(plan({}, { b: { data: "present" } })).toBe("refuse");
		expect(join(machines(), wish("b", "c", "d"), begun)).toMatchObject({ kind: "refuse", code: "HF_SETTING" });
	});
});

describe("without a quorum", () => {
	const down = (name: string, data: "present" | "none" = "present"): Sketch => ({
		...{ name, health: undefined, machine: { data, process: data === "none" ? "held" : "stopped" } },
	});
	const silent = (...all: Sketch[]) => seen(all, { cluster: undefined });

	test("what has data is started, one at a time, and nothing else happens", () => {
		const look = silent(down("a"), down("b"), down("c", "none"));
		expect(brief(join(look, wish(...three)))).toBe("start a");
		expect(brief(join(silent({ name: "a" }, down("b"), down("c", "none")), wish(...three)))).toBe("start b");
		expect(join(silent({ name: "a" }, { name: "b", ...dead }, down("c", "none")), wish(...three))).toEqual({
			kind: "wait",
			why: "a quorum of the etcd cluster to answer; silent: b, c",
		});
		const fresh: Sketch = { name: "d", machine: { data: "present", process: "stopped" }, ...dead };
		expect(brief(join(silent({ name: "a" }, { name: "b", ...dead }, fresh), wish(...three)))).toBe("wait");
	});

	test("a majority without data is lost for good, and said; a machine that was not looked at may have it", () => {
		expect(join(silent({ name: "a" }, down("b", "none"), down("c", "none")), wish(...three))).toMatchObject({
			kind: "refuse",
			code: "HF_UNSAFE",
			why: "the etcd data of b, c is gone, or another cluster's: 1 of 3 voters cannot have a quorum again",
			next: expect.stringContaining("restore data/etcd of 2 voters"),
		});
		const all = silent(down("a", "none"), down("b", "none"), down("c", "none"));
		expect(join(all, wish(...three))).toMatchObject({ kind: "refuse", code: "HF_DATA_LOST" });
		const strange = { data: "present", process: "running", answer: { clusterId: "f", memberId: "1" } } as const;
		const replaced = silent({ name: "a" }, down("b", "none"), { name: "c", ...dead, machine: strange });
		expect(join(replaced, wish(...three))).toMatchObject({ kind: "refuse", code: "HF_UNSAFE" });
		const unseen: Sketch = { name: "c", ...dead, machine: undefined };
		expect(brief(join(silent({ name: "a" }, down("b", "none"), unseen), wish(...three)))).toBe("wait");
	});

	test("who runs with an older configuration is restarted: the others may look for it elsewhere", () => {
		const stale: Sketch = {
			name: "b",
			...dead,
			machine: { process: "running", data: "present", pendingRestart: true },
		};
		expect(brief(join(silent({ name: "a" }, stale, down("c", "none")), wish(...three)))).toBe("restart b");
	});

	test("retiring asks nobody when nobody leaves", () => {
		expect(retire(silent(down("a"), down("b")), wish(...three))).toEqual({ kind: "done" });
		expect(brief(retire(silent(down("a"), down("b")), wish("a"), known(["a", "b", "c"])))).toBe("start a");
	});

	test("the answer of another cluster is no answer", () => {
		const record = known(three, { clusterId: "c2" });
		expect(join(seen(sketches(three)), wish(...three), record)).toMatchObject({ kind: "refuse", code: "HF_DATA_LOST" });
		const half = seen([{ name: "a" }, { name: "b", ...dead }, { name: "c", ...dead }]);
		expect(brief(join(half, wish(...three), record))).toBe("wait");
		const unknown = planEtcd(seen(sketches(["a"])), wish("a"), undefined, { phase: "join" });
		expect(unknown).toMatchObject({ kind: "refuse", code: "HF_FOREIGN" });
	});
});

describe("joining", () => {
	const unstarted = (name: string): Sketch => ({
		...{ name: "", id: idOf(name), peerURLs: [voter(name).peerURL], clientURLs: [], isLearner: true, ...dead },
		machine: undefined,
	});
	/** A learner that was added and has not started, and its machine. */
	const learner = (name: string, machine: Sketch["machine"] = {}, change: Partial<Sketch> = {}): Sketch[] => [
		{ ...unstarted(name), ...change },
		{ name, unlisted: true, machine },
	];

	test("is as a learner, one at a time, started with the list's addresses, promoted when it has caught up", () => {
		const one = known(["a"]);
		expect(join(seen([{ name: "a" }, { name: "b", unlisted: true }]), wish(...three), one)).toMatchObject({
			...{ kind: "add", name: "b", peerURL: "http://b:2380", why: "add b as a learner" },
		});
		const withB = added(one, "b", idOf("b"));
		expect(join(seen([{ name: "a" }, ...learner("b"), { name: "c", unlisted: true }]), wish(...three), withB)).toEqual({
			...{ kind: "join", name: "b", id: "id-b", initialCluster: "a=http://a:2380,b=http://b:2380", why: "let b join" },
		});
		const begun = started(withB, "b", idOf("b"));
		const learning = (health: Sketch["health"]) =>
			join(seen([{ name: "a" }, { name: "b", isLearner: true, health }]), wish(...three), begun);
		expect(brief(learning({}))).toBe("promote b id-b");
		expect(brief(learning({ raftAppliedIndex: 900 }))).toBe("promote b id-b");
		expect(learning({ raftAppliedIndex: 899 })).toEqual({
			kind: "wait",
			why: "give b its vote: it is 101 entries of the log behind",
		});
		expect(learning({ errors: ["etcdserver: no leader"] })).toMatchObject({ kind: "wait" });
		expect(learning(undefined)).toEqual({ kind: "wait", why: "give b its vote: it does not answer yet" });
		const headless = seen([
			{ name: "a", ...dead },
			{ name: "b", isLearner: true },
		]);
		expect(join(headless, wish(...three), begun)).toEqual({
			kind: "wait",
			why: "give b its vote: the leader does not answer",
		});
	});

	test("asks for 90 % of a short log, as etcd does", () => {
		const short = { raftIndex: 50 };
		const look = seen([
			{ name: "a", health: short },
			{ name: "b", isLearner: true, health: { raftAppliedIndex: 44 } },
		]);
		expect(brief(join(look, wish("a", "b", "c"), known(["a", "b"])))).toBe("wait");
	});

	test("never happens twice under one id: a learner without its data is removed first", () => {
		const begun = started(known(["a"]), "b", idOf("b"));
		expect(join(seen([{ name: "a" }, ...learner("b")]), wish(...three), begun)).toMatchObject({
			...{ kind: "remove", name: "b", id: "id-b", why: "remove b, to add it again: its etcd data is gone" },
		});
		const named = [{ ...learner("b")[0]!, name: "b", machine: { data: "none", process: "held" } } as Sketch];
		expect(brief(join(seen([{ name: "a" }, ...named]), wish(...three), known(["a"])))).toBe("remove b id-b");
	});

	test("waits for a start under way, and gives up what cannot start", () => {
		const record = started(known(["a"]), "b", idOf("b"));
		const plan = (machine: Sketch["machine"]) =>
			brief(join(seen([{ name: "a" }, ...learner("b", machine)]), wish(...three), record));
		expect(plan({ process: "starting" })).toBe("wait");
		expect(plan({ process: "running", data: "partial" })).toBe("wait");
		expect(plan({ process: "fatal", data: "present" })).toBe("remove b id-b");
		expect(plan({ process: "missing" })).toBe("remove b id-b");
		const missing = seen([
			{ name: "a" },
			{ name: "b", unlisted: true, machine: { process: "missing", detail: "gone" } },
		]);
		expect(join(missing, wish("a", "b", "c"), known(["a"]))).toMatchObject({ kind: "wait" });
		expect(plan({ process: "backing-off", data: "present" })).toBe("wait");
		expect(plan({ process: "backing-off", data: "partial" })).toBe("remove b id-b");
		const withB = added(known(["a"]), "b", idOf("b"));
		const lost = seen([{ name: "a" }, ...learner("b", { process: "missing" })]);
		expect(brief(join(lost, wish(...three), withB))).toBe("remove b id-b");
		// Added by hand, as a voter: it never started, and does not do so now.
		const voting = seen([{ name: "a" }, ...learner("b", {}, { isLearner: false })]);
		expect(brief(join(voting, wish(...three), known(["a"])))).toBe("remove b id-b");
	});

	test("takes what lies in the folder away first, also what is older than the id", () => {
		const withB = added(known(["a"]), "b", idOf("b"));
		const plan = (machine: Sketch["machine"]) =>
			brief(join(seen([{ name: "a" }, ...learner("b", machine)]), wish(...three), withB));
		expect(plan({ data: "present", process: "stopped" })).toBe("setAside b");
		expect(plan({ data: "partial" })).toBe("setAside b");
		const unlisted = seen([
			{ name: "a" },
			{ name: "b", unlisted: true, machine: { data: "present", process: "stopped" } },
		]);
		const partial = seen([{ name: "a" }, { name: "b", unlisted: true, machine: { data: "partial" } }]);
		expect(brief(join(partial, wish(...three), known(["a"])))).toBe("setAside b");
		expect(join(unlisted, wish(...three), known(["a"]))).toMatchObject({
			...{ kind: "setAside", name: "b", why: "set the etcd data of b aside: our cluster does not list it" },
		});
	});

	test("waits for a quorum that could bear one voter more, as etcd does", () => {
		const plan = (...health: (object | undefined)[]) =>
			brief(
				join(
					seen([...health.map((h, i) => ({ name: three[i]!, health: h })), { name: "d", unlisted: true }]),
					wish("a", "b", "c", "d", "e"),
				),
			);
		expect(plan({}, {}, {})).toBe("add d");
		expect(plan({}, {}, undefined)).toBe("wait");
		expect(plan({}, {}, { leader: "" })).toBe("wait");
		expect(plan({}, {}, { leader: "other" })).toBe("wait");
	});

	test("a stopped voter is started before anything else", () => {
		const c: Sketch = { name: "c", ...dead, machine: { data: "present", process: "stopped" } };
		const d: Sketch = { name: "d", unlisted: true, machine: { data: "present", process: "stopped" } };
		expect(brief(join(seen([{ name: "a" }, { name: "b" }, c, d]), wish("a", "b", "c", "d", "e")))).toBe("start c");
		const e: Sketch = { name: "e", unlisted: true, machine: { process: "missing" } };
		expect(brief(join(seen([{ name: "a" }, { name: "b" }, { name: "c" }, d, e]), wish("a", "b", "c", "d", "e")))).toBe(
			"setAside d",
		);
	});

	test("a learner that nobody wants, or at another address than is wanted, goes first", () => {
		const look = seen([{ name: "a" }, { name: "b" }, { name: "c" }, { name: "x", isLearner: true }]);
		expect(brief(join(look, wish(...three)))).toBe("remove x id-x");
		const moved = seen([{ name: "a" }, ...learner("b", {}, { peerURLs: ["http://b:1"] })]);
		expect(brief(join(moved, wish(...three), added(known(["a"]), "b", idOf("b"))))).toBe("remove b id-b");
	});
});

describe("replacing", () => {
	test("a voter without its data: remove first, with a quorum, then add", () => {
		expect(brief(join(seen([{ name: "a" }, { name: "b" }, { name: "c", ...gone }]), wish(...three)))).toBe(
			"remove c id-c",
		);
		const two = known(["a", "b"]);
		expect(brief(join(seen([{ name: "a" }, { name: "b" }, { name: "c", unlisted: true }]), wish(...three), two))).toBe(
			"add c",
		);
		const sick = seen([...sketches(["a", "b", "c"]), { name: "d", ...dead }, { name: "e", ...gone }]);
		expect(brief(join(sick, wish("a", "b", "c", "d", "e"), known(["a", "b", "c", "d", "e"])))).toBe("remove e id-e");
		const worse = seen([{ name: "a" }, { name: "b" }, { name: "c", ...dead }, { name: "d", ...gone }]);
		expect(join(worse, wish("a", "b", "c", "d", "e"), known(["a", "b", "c", "d"]))).toMatchObject({
			kind: "remove",
			name: "d",
		});
	});

	test("a leader whose folder vanished hands over first", () => {
		const a: Sketch = { name: "a", machine: { data: "none", process: "held", answer: undefined } };
		expect(join(seen([a, { name: "b" }, { name: "c" }]), wish(...three))).toMatchObject({
			...{ kind: "moveLeader", from: "id-a", why: "let b lead, to remove a, to add it again: its etcd data is gone" },
		});
	});

	test("a dead voter with data is waited for; one of another cluster has its data set aside", () => {
		expect(join(seen([{ name: "a" }, { name: "b" }, { name: "c", ...dead }]), wish(...three))).toEqual({
			kind: "wait",
			why: "c (no answer) to be healthy",
		});
		const stray = (machine: Sketch["machine"]) =>
			join(seen([{ name: "a" }, { name: "b" }, { name: "c", ...dead, machine }]), wish(...three));
		const answer = { clusterId: "f", memberId: "1" };
		expect(stray({ answer, process: "running" })).toMatchObject({ kind: "setAside", name: "c" });
		expect(stray({ answer: { clusterId: CLUSTER, memberId: "old" } })).toMatchObject({ kind: "setAside", name: "c" });
		expect(stray({ answer: { clusterId: "f", memberId: "id-c" } })).toMatchObject({ kind: "setAside", name: "c" });
		expect(stray({ answer, process: "held", data: "none" })).toMatchObject({ kind: "refuse", code: "HF_FOREIGN" });
	});
});

describe("names and addresses", () => {
	test("are compared whole: what begins with another one is another one", () => {
		const names = ["10.0.0.1", "10.0.0.12", "1.10.0.0.1"];
		const look = seen([{ name: "10.0.0.12" }, { name: "10.0.0.1", unlisted: true }]);
		expect(brief(join(look, wish(...names), known(["10.0.0.12"])))).toBe("add 10.0.0.1");
		const all = seen([{ name: "10.0.0.12" }, { name: "10.0.0.1" }, { name: "1.10.0.0.1" }]);
		expect(brief(retire(all, wish("10.0.0.12"), known(names)))).toBe("remove 10.0.0.1 id-10.0.0.1");
		expect(join(all, wish(...names), known(names))).toEqual({ kind: "done" });
		// Also where only etcd's own list tells who is who.
		const adopted = known([], { seed: "" });
		expect(brief(retire(all, wish("10.0.0.1", "x", "y"), adopted))).toBe("remove 1.10.0.0.1 id-1.10.0.0.1");
		expect(brief(join(look, wish(...names), adopted))).toBe("add 10.0.0.1");
	});

	test("an id that we gave tells more than a name; before the first start, the whole address does", () => {
		// Somebody else's member took the name: ours is the one with our id.
		const twice = seen([
			{ name: "a" },
			{ name: "b", id: "id-b" },
			{ name: "b", id: "id-x", peerURLs: ["http://x:1"] },
			{ name: "c" },
		]);
		const record = known(three);
		expect(
			brief(join(twice, wish(...three), { ...record, ids: { ...record.ids, x: [{ id: "id-x", started: true }] } })),
		).toBe("remove x id-x");
		const unnamed: Sketch = {
			name: "",
			id: "id-9",
			peerURLs: ["http://b:23801"],
			isLearner: true,
			...dead,
			machine: undefined,
		};
		expect(
			brief(join(seen([{ name: "a" }, unnamed, { name: "b", unlisted: true }]), wish(...three), known(["a"]))),
		).toBe("remove id-9");
	});

	test("the id counts where the member has not said its name yet and its address is an old one", () => {
		const b: Sketch = { name: "", id: "id-b", peerURLs: ["http://b:1"], isLearner: true, machine: undefined };
		const machine = { data: "present", process: "running" } as const;
		const look = seen([{ name: "a" }, b, { name: "b", unlisted: true, machine }]);
		expect(brief(join(look, wish(...three), known(["a", "b"])))).toBe("update b id-b");
	});

	test("an unknown entry at exactly our address is the learner whose add was never answered", () => {
		const b: Sketch = {
			name: "",
			id: "id-7",
			peerURLs: ["http://b:2380"],
			isLearner: true,
			...dead,
			machine: undefined,
		};
		const look = seen([{ name: "a" }, b, { name: "b", unlisted: true }]);
		expect(brief(join(look, wish(...three), known(["a"])))).toBe("join b id-7");
	});

	test("of two entries of one voter the one that runs is kept, else the one that joined last", () => {
		const ids = { b: ["id-b", "id-b2", "id-b3"].map((id) => ({ id, started: true })) };
		const record = known(three, { ids: { ...known(three).ids, ...ids } });
		const twice = (machine: Sketch["machine"]) => {
			const entries = ["id-b", "id-b3", "id-b2"].map(
				(id, i): Sketch => ({ name: "b", id, peerURLs: [`http://b:${i}`], machine }),
			);
			return join(seen([{ name: "a" }, ...entries, { name: "c" }]), wish(...three), record);
		};
		expect(brief(twice({ answer: { clusterId: CLUSTER, memberId: "id-b" } }))).toBe("update b id-b");
		expect(brief(twice({ answer: undefined }))).toBe("update b id-b3");
	});

	test("an address that somebody else holds is freed first", () => {
		const old: Sketch = { name: "old", peerURLs: ["http://d:2380"], machine: undefined };
		const look = seen([{ name: "a" }, { name: "b" }, old, { name: "d", unlisted: true }]);
		expect(brief(join(look, wish("a", "b", "d"), known(["a", "b", "old"])))).toBe("remove old id-old");
	});

	test("a move is told to the cluster before the restart, one member at a time", () => {
		const moved = [voter("a"), voter("b", 100), voter("c", 100)];
		const look = (b: Sketch, c: Sketch = { name: "c" }) => join(seen([{ name: "a" }, b, c]), moved);
		const stale = { pendingRestart: true };
		expect(look({ name: "b", machine: stale }, { name: "c", machine: stale })).toMatchObject({
			...{ kind: "update", name: "b", id: "id-b", peerURL: "http://b:2480" },
		});
		const at = (name: string) => ({ name, peerURLs: [voter(name, 100).peerURL] });
		// Nobody finds it until it is restarted: the next one has to wait.
		const told: Sketch = { ...at("b"), health: { leader: "" }, machine: stale };
		expect(brief(look(told, { name: "c", machine: stale }))).toBe("restart b");
		expect(brief(look(at("b"), { name: "c", machine: stale }))).toBe("update c id-c");
		expect(look(at("b"), at("c"))).toEqual({ kind: "done" });
	});
});

describe("leaving", () => {
	test("the dead first, the leader last and relieved of its office, one at a time", () => {
		const five = ["a", "b", "c", "d", "e"];
		const record = known(five);
		const steps = (look: Sketch[], ...stay: string[]) => brief(retire(seen(look), wish(...stay), record));
		expect(steps([...sketches(["a", "b", "c", "d"]), { name: "e", ...dead }], "a", "b", "c")).toBe("remove e id-e");
		expect(steps([...sketches(["a", "b", "c", "e"]), { name: "d", ...dead }], "a", "b", "c")).toBe("remove d id-d");
		expect(steps(sketches(five), "b", "c", "d")).toBe("remove e id-e");
		expect(steps(sketches(["a", "b", "c", "d"]), "b", "c", "d")).toBe("moveLeader");
		expect(steps(sketches(["b", "a", "c", "d"]), "b", "c", "d")).toBe("remove a id-a");
		expect(steps(sketches(["b", "c", "d"]), "b", "c", "d")).toBe("done");
	});

	test("to the healthy voter with the longest log", () => {
		const record = known(["a", "b", "c", "d"]);
		const to = (b: object, c: object, d: object) => {
			const others = [b, c, d].map((health, i) => ({ name: ["b", "c", "d"][i]!, health }));
			const step = retire(seen([{ name: "a" }, ...others]), wish("b", "c", "d"), record);
			return step.kind === "moveLeader" ? step.to : step;
		};
		expect(to({ raftAppliedIndex: 999 }, {}, { raftAppliedIndex: 998 })).toBe("id-c");
		expect(to({ raftAppliedIndex: 2000, leader: "" }, {}, { raftAppliedIndex: 998 })).toBe("id-c");
	});

	test("a learner may always go: it has no vote", () => {
		const look = seen([{ name: "a" }, { name: "b", ...dead }, { name: "c", ...dead }, { name: "x", isLearner: true }]);
		expect(brief(join(look, wish(...three)))).toBe("remove x id-x");
	});

	test("only with a healthy majority afterwards", () => {
		const plan = (...health: (object | undefined)[]) =>
			retire(seen(health.map((h, i) => ({ name: three[i]!, health: h }))), wish("a"));
		expect(brief(plan({}, {}, {}))).toBe("remove b id-b");
		expect(plan({}, undefined, {})).toMatchObject({ kind: "remove", name: "b" });
		const five = ["a", "b", "c", "d", "e"].map((name, i) => ({ name, ...(i > 2 ? dead : {}) }));
		expect(retire(seen(five), wish("a", "d", "e"), known(["a", "b", "c", "d", "e"]))).toEqual({
			kind: "wait",
			why: "remove b: 3 of 4 voters would have to be healthy, these are not: d, e; remove c: 3 of 4 voters would have to be healthy, these are not: d, e",
		});
	});

	test("never the last one, and nobody who is to be kept", () => {
		expect(retire(seen(sketches(three)), wish("x"))).toMatchObject({ kind: "refuse", code: "HF_UNSAFE" });
		const look = seen(sketches(three));
		const kept = (phase: "retire" | "join") => planEtcd(look, wish("a"), known(three), { phase, keep: ["b"] });
		expect([brief(kept("retire")), brief(kept("join"))]).toEqual(["remove c id-c", "remove c id-c"]);
		const keep = ["d"];
		const four = [...sketches(three), { name: "d" }];
		expect(planEtcd(seen(four), wish(...three), known(three), { phase: "join", keep })).toEqual({ kind: "done" });
		const learner = [...sketches(three), { name: "d", isLearner: true }];
		expect(brief(planEtcd(seen(learner), wish(...three), known(three), { phase: "join", keep }))).toBe("remove d id-d");
	});

	test("a learner that answers does not stand in the way, a dead one goes first", () => {
		const look = (health?: object) => seen([...sketches(three), { name: "d", isLearner: true, health }]);
		expect(brief(retire(look(), wish("a", "b", "d")))).toBe("remove d id-d");
		expect(brief(retire(look({}), wish("a", "b", "d")))).toBe("remove c id-c");
		expect(brief(retire(look(), wish("a", "b", "c", "d", "e")))).toBe("done");
	});

	test("data of who votes no more is set aside at the end", () => {
		const former: Sketch = { name: "d", unlisted: true, machine: { data: "present", process: "stopped" } };
		const look = seen([...sketches(three), former, { name: "e", unlisted: true }]);
		expect(join(look, wish(...three))).toMatchObject({
			kind: "setAside",
			name: "d",
			why: expect.stringContaining("does not vote"),
		});
		expect(retire(look, wish(...three))).toEqual({ kind: "done" });
	});

	test("what retiring left undone, joining does, after newcomers have their vote", () => {
		const record = known(["a", "b", "x"]);
		const look = seen([{ name: "a" }, { name: "b" }, { name: "x" }, { name: "c", unlisted: true }]);
		expect(brief(join(look, wish(...three), record))).toBe("add c");
		const late = seen([{ name: "a" }, { name: "b" }, { name: "x", ...dead }, { name: "c", unlisted: true }]);
		expect(brief(join(late, wish(...three), record))).toBe("remove x id-x");
		// A newcomer could join, too: the dead one goes first, so that the quorum is not one of more.
		const five = seen([...sketches(["a", "b", "c", "d"]), { name: "x", ...dead }, { name: "e", unlisted: true }]);
		const ids = known(["a", "b", "c", "d", "x"]);
		expect(brief(join(five, wish("a", "b", "c", "d", "e"), ids))).toBe("remove x id-x");
	});
});

describe("restarts", () => {
	const stale: Sketch["machine"] = { pendingRestart: true };
	const plan = (...sketched: Sketch[]) => join(seen(sketched), wish(...three.slice(0, sketched.length)), known(three));

	test("one at a time, the leader last and relieved of its office", () => {
		const all = three.map((name): Sketch => ({ name, machine: stale }));
		expect(brief(plan(...all))).toBe("restart b");
		expect(brief(plan(all[0]!, { name: "b" }, { name: "c" }))).toBe("moveLeader");
		expect(brief(plan(all[0]!))).toBe("restart a");
		// Of two, each is needed: only when both are well is the outage a short one.
		const two = (...sketched: Sketch[]) => brief(join(seen(sketched), wish(...three), known(["a", "b"])));
		const c = { name: "c", unlisted: true, machine: { process: "missing" } } as const;
		expect(two(all[0]!, { name: "b", ...dead }, c)).toBe("wait");
		expect(two({ name: "a" }, all[1]!, c)).toBe("restart b");
	});

	test("only while the others are a healthy majority; who is down harms nobody", () => {
		const c: Sketch = { name: "c", ...dead, machine: { process: "running", data: "present" } };
		expect(brief(plan({ name: "a" }, { name: "b", machine: stale }, c))).toBe("wait");
		expect(brief(plan({ name: "a" }, { name: "b" }, { ...c, machine: { ...c.machine, ...stale } }))).toBe("restart c");
	});
});

test("settings that cannot work are refused, and change nothing", () => {
	const empty = retire(seen(sketches(three)), []);
	expect(empty).toMatchObject({ kind: "refuse", code: "HF_SETTING" });
	const refusal = (...voters: ReturnType<typeof voter>[]) => join(seen(sketches(three)), voters);
	expect(refusal()).toMatchObject({
		kind: "refuse",
		code: "HF_SETTING",
		why: expect.stringContaining("nothing is changed"),
	});
	expect(refusal(voter("a"), voter("b"))).toMatchObject({ why: expect.stringContaining("declare 1, 3 or 5") });
	expect(brief(retire(seen(sketches(three)), wish("a", "b")))).toBe("remove c id-c");
	expect(refusal(voter("a"), voter("b"), voter("a", 1))).toMatchObject({ why: "two etcd voters have the name a" });
	const b = { ...voter("b"), peerURL: "http://a:2380" };
	expect(refusal(voter("a"), b, voter("c"))).toMatchObject({ why: "two etcd voters have the peerURL http://a:2380" });
	const c = { ...voter("c"), clientURL: "http://a:2379" };
	expect(refusal(voter("a"), voter("b"), c)).toMatchObject({ code: "HF_SETTING" });
});

test("a whole cluster is left alone, also where a machine cannot be looked at", () => {
	expect(join(seen(sketches(three)), wish(...three))).toEqual({ kind: "done" });
	const unseen = seen([{ name: "a" }, { name: "b" }, { name: "c", machine: undefined }]);
	expect(join(unseen, wish(...three))).toEqual({ kind: "done" });
	const missing = seen([{ name: "a" }, { name: "b" }]);
	expect(join(missing, wish(...three))).toMatchObject({
		kind: "wait",
		why: expect.stringContaining("c has on its disk is not known"),
	});
});

test("every id under which a name joined is remembered, the newest last", () => {
	const record = started(added(known(["a"]), "b", "1"), "b", "1");
	const again = added(record, "b", "2");
	expect(again.ids.b).toEqual([
		{ id: "1", started: true },
		{ id: "2", started: false },
	]);
	expect(started(again, "b", "2").ids.b!.map(({ started: begun }) => begun)).toEqual([true, true]);
});

test("an adopted cluster goes on as it is, and is remembered by what it says", () => {
	const look = seen(sketches(three));
	const record = remember(adoptedRecord(CLUSTER, ["http://a:2379"]), look);
	expect(record).toMatchObject({
		formed: true,
		voters: three.map(idOf),
		endpoints: three.map((n) => `http://${n}:2379`),
	});
	expect(Object.keys(record.ids)).toEqual(three);
	expect(remember(record, look)).toBe(record);
	expect(remember(record, { ...look, cluster: { ...look.cluster!, clusterId: "f", members: [] } })).toBe(record);
	expect(join(look, wish(...three), record)).toEqual({ kind: "done" });
});
