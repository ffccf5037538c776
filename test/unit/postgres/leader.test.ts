import type { PatroniStatus } from "../../../runtime/postgres/state.ts";
import { leaderOf } from "../../../runtime/postgres/work.ts";

const view = {
	members: [
		{ name: "pg0-0", role: "leader", state: "running", api_url: "" } as const,
		{ name: "pg0-1", role: "quorum_standby", state: "streaming", api_url: "" } as const,
	],
};
const says = (role: string): PatroniStatus => ({
	state: "running",
	role,
	patroni: { version: "4.1.5", scope: "pg0", name: "" },
});

test("the leader is the one that etcd names and that says so itself", () => {
	expect(leaderOf({ view, statuses: new Map([["pg0-0", says("primary")]]) })).toBe("pg0-0");
});

test("a leader that does not answer, or has stepped down, is none, whatever etcd said last", () => {
	expect(leaderOf({ view, statuses: new Map([["pg0-1", says("replica")]]) })).toBeUndefined();
	expect(leaderOf({ view, statuses: new Map([["pg0-0", says("replica")]]) })).toBeUndefined();
});
