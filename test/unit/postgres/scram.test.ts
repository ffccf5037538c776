import { isPortable, prepare } from "../../../runtime/postgres/saslprep.ts";
import { verifierOf, verifies } from "../../../runtime/postgres/scram.ts";

/** Keys of RFC 7677's example exchange: password "pencil", its salt, 4096 iterations. */
const RFC =
	"SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

test("a stored verifier is told to be of a password, or not", async () => {
	expect(await verifies(RFC, "pencil")).toBe(true);
	expect(await verifies(RFC, "pencil ")).toBe(false);
	expect(await verifies(RFC.replace("wfPL", "wfPM"), "pencil")).toBe(false);
	expect(await verifies(RFC.replace("4096", "4097"), "pencil")).toBe(false);
	for (const stored of [null, "", "md5a1b2c3d4e5f60718293a4b5c6d7e8f90", "pencil", "SCRAM-SHA-256$4096"])
		expect(await verifies(stored, "pencil")).toBe(false);
});

test("a new verifier is PostgreSQL's, with a salt of its own each time", async () => {
	const [one, two] = [await verifierOf("pé'ncil"), await verifierOf("pé'ncil")];
	expect(one).toMatch(/^SCRAM-SHA-256\$4096:[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$/);
	expect(one).not.toBe(two);
	expect([await verifies(one, "pé'ncil"), await verifies(two, "pé'ncil")]).toEqual([true, true]);
});

test("what SASLprep makes one is one password", async () => {
	expect(await verifies(await verifierOf("Ⅸ"), "I\u00adX")).toBe(true);
	expect(await verifies(await verifierOf("Ⅸ"), "ix")).toBe(false);
});

describe("preparation", () => {
	test.each([
		["I\u00adX", "IX", "maps to nothing (RFC 4013's example)"],
		["ª", "a", "normalizes (RFC 4013's example)"],
		["Ⅸ", "IX", "normalizes (RFC 4013's example)"],
		["USER", "USER", "keeps case (RFC 4013's example)"],
		["a\u00a0b\u200bc", "a b c", "maps spaces"],
		["\u0627\u0031\u0628", "\u0627\u0031\u0628", "takes right-to-left within right-to-left"],
	])("%j becomes %j: %s", (password, prepared) => {
		expect(prepare(password)).toBe(prepared);
	});

	test.each([
		["\u0007", "ASCII, which is never looked at"],
		["\u0007ª", "a control character"],
		["\u007fª", "a control character"],
		["\u0340ª", "prohibited, though it normalizes to what is not"],
		["\u0627\u0031ª", "right-to-left that ends otherwise"],
		["ﬡaﬡ", "both directions"],
		["\u0221ª", "unassigned in Unicode 3.2"],
		["😀ª", "unassigned in Unicode 3.2"],
		["\u{10ffff}ª", "not a character"],
		["\u00ad", "nothing left"],
	])("%j stays as it is: %s", (password) => {
		expect(prepare(password)).toBe(password);
	});

	test("the few passwords that drivers without SASLprep's checks send otherwise are known", () => {
		for (const password of ["pencil", "\u0007", "ª", "I\u00adX", "😀", "é ü 日本", "🔑 key"])
			expect(isPortable(password)).toBe(true);
		for (const password of ["😀ª", "\u0340", "\u00ad"]) expect(isPortable(password)).toBe(false);
	});
});
