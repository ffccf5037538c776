import { contracts, explainExit } from "../../../runtime/platform/contract.ts";
import { processSchema } from "../../../runtime/platform/model.ts";
import { parseLastExit, pickReason } from "../../../runtime/platform/reason.ts";
import { memberConf } from "../../../runtime/platform/supervisorConfig.ts";
import { orphanPatience, profiles } from "../../../runtime/postgres/profile.ts";

test("every program that a member may run has a contract", () => {
	expect(Object.keys(contracts)).toEqual(processSchema.shape.program.options);
});

test("mongod gets time to quiesce, and only hopeless configurations are final", () => {
	const { stopSignal, stopWait, fatal } = contracts.mongod;
	expect(stopSignal).toBe("TERM");
	expect(stopWait).toBeGreaterThanOrEqual(60);
	expect(fatal).toEqual([2, 62]);
});

test.each([48, 14, 100, 1])("mongod exit %i heals and must not be final", (code) => {
	expect(contracts.mongod.fatal).not.toContain(code);
	expect(explainExit("mongod", `exit status ${code}`)).toMatch(new RegExp(`^exit status ${code}: \\w+`));
});

test("an end without a known meaning is told as it is", () => {
	expect(explainExit("mongod", "terminated by SIGKILL")).toBe("terminated by SIGKILL");
	expect(explainExit("mongod", "exit status 77")).toBe("exit status 77");
});

test("supervisord's section carries the contract and no path that its parser could misread", () => {
	const conf = memberConf("m-0", { processes: [{ name: "mongod", program: "mongod", port: 1 }] });
	expect(conf).toContain("[group:m-0]\nprograms=m-0.mongod\n");
	expect(conf).toContain("command=/bin/sh hold folders/m-0 mongod 1 60 600\n");
	expect(conf).toContain("exitcodes=2,62\nstartsecs=0\n");
	expect(conf).toContain("stopsignal=TERM\nstopwaitsecs=120\n");
});

test("Patroni is never kept away for as long as its PostgreSQL may run without it", () => {
	const conf = memberConf("m-0", { processes: [{ name: "patroni", program: "patroni" }] });
	const longest = Number(/hold folders\/m-0 patroni 1 (\d+) 600/.exec(conf)?.[1]);
	const patience = Math.min(...Object.values(profiles).map(orphanPatience));
	// Two seconds for a start.
	expect(longest + 2).toBeLessThan(patience);
});

test("the last end of a process is found in supervisord's log by its full name", () => {
	const log = [
		"2026-01-01 10:00:00,1 WARN exited: a.mongod (exit status 48; not expected)",
		"2026-01-01 10:00:01,1 WARN exited: b.mongod (terminated by SIGKILL; not expected)",
		"2026-01-01 10:00:02,1 INFO exited: a.mongod (exit status 2; expected)",
		"2026-01-01 10:00:03,1 INFO exited: aa.mongod (exit status 3; expected)",
	].join("\n");
	expect(parseLastExit(log, "a.mongod")).toBe("exit status 2");
	expect(parseLastExit(log, "b.mongod")).toBe("terminated by SIGKILL");
	expect(parseLastExit(log, "c.mongod")).toBeUndefined();
});

test("the reason is the newest error of a structured log, else the last lines", () => {
	const line = (s: string, msg: string, errmsg?: string) =>
		JSON.stringify({ s, msg, attr: errmsg ? { error: { errmsg } } : {} });
	const log = [
		line("F", "first"),
		line("F", "Error during global initialization", "bad cacheSizeGB"),
		line("I", "bye"),
	];
	expect(pickReason(log.join("\n"))).toBe("Error during global initialization: bad cacheSizeGB");
	expect(pickReason("one\n\ntwo\nthree\n")).toBe("two three");
	expect(pickReason("")).toBeUndefined();
});
