import { compareVersions, matchesBuild } from "../../../runtime/tools.ts";
import { inRange } from "../../../scripts/toolchain/probe.ts";

test.each([
	["6.0.5", "6.0.27", -1],
	["6.0.27", "6.0.5", 1],
	["6.0", "6.0.0", 0],
	["10.0", "9.9.9", 1],
	["3.250.0", "3.55.0", 1],
])("%s compared with %s", (a, b, sign) => {
	expect(Math.sign(compareVersions(a, b))).toBe(sign);
});

test.each([
	["5.9.9", false],
	["6.0.0", true],
	["8.2.1", true],
	["9.0.0", false],
])("%s in 6.0 to 9: %s", (version, expected) => {
	expect(inRange(version, { from: "6.0", below: "9" })).toBe(expected);
});

test.each([
	["6.0.5", "6", true],
	["6.0.5", "6.0", true],
	["6.0.5", "6.0.5", true],
	["6.0.50", "6.0.5", false],
	["60.0.5", "6", false],
	["7.0.5", "6.0", false],
])("%s is a %s: %s", (version, wanted, expected) => {
	expect(matchesBuild(version, wanted)).toBe(expected);
});
