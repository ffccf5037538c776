import { refusal } from "../../../runtime/redis/failure.ts";

it.each([
	["OOM command not allowed when used memory > 'maxmemory'.", "OUT_OF_MEMORY"],
	["OOM command not allowed when used memory > 'maxmemory'. script: f_ab, on @user_script:9.", "OUT_OF_MEMORY"],
	["@user_script: 5: -OOM command not allowed when used memory > 'maxmemory'.", "OUT_OF_MEMORY"],
	[
		"ERR Error running script (call to f_ab): @user_script:3: @user_script: 3: -OOM command not allowed",
		"OUT_OF_MEMORY",
	],
	["LOADING Redis is loading the dataset in memory", "UNREACHABLE"],
	["BUSY Redis is busy running a script.", "UNREACHABLE"],
	["MISCONF Redis is configured to save RDB snapshots", "REFUSED"],
	["READONLY You can't write against a read only replica.", "REFUSED"],
	["NOPERM this user has no permissions to run the 'set' command", "REFUSED"],
	["WRONGTYPE Operation against a key holding the wrong kind of value", "REFUSED"],
	["WRONGPASS invalid username-password pair or user is disabled.", "REFUSED"],
	["", "REFUSED"],
])("%s is %s, and had no effect", (reply, code) => {
	const failure = refusal("10.0.0.1:6379", reply);
	expect(failure).toMatchObject({ code, outcome: "failed", node: "10.0.0.1:6379" });
});

it("does not repeat what the reply quotes", () => {
	expect(refusal("n:1", "ERR unknown command 'SECRET', with args beginning with: 'hunter2'").message).toBe(
		"n:1: refused the command (ERR)",
	);
});
