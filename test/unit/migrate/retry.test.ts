import { MongoNetworkError, MongoServerError } from "mongodb";
import { HoldfastError } from "../../../runtime/errors.ts";
import { finalError, mayPass, NotAcknowledged } from "../../../runtime/migrate/retry.ts";

const server = (code: number) => new MongoServerError({ message: "said", code, codeName: "Name" });

test("what an election or a lost connection does passes; what a server refuses does not", () => {
	for (const code of [64, 91, 189, 276, 10107, 11602]) expect(mayPass(server(code))).toBe(true);
	for (const code of [13, 121, 11000]) expect(mayPass(server(code))).toBe(false);
	expect(mayPass(new MongoNetworkError("reset"))).toBe(true);
	expect(mayPass(new NotAcknowledged("no majority"))).toBe(true);
	expect(mayPass(new Error("a defect"))).toBe(false);
});

test("a run ends with a code that tells a Job whether to try again", () => {
	const codeOf = (error: unknown) => (finalError(error, "a page") as HoldfastError).code;
	expect(codeOf(server(189))).toBe("HF_RETRY");
	expect(codeOf(new HoldfastError("HF_UNREACHABLE", "nobody answers"))).toBe("HF_RETRY");
	expect(codeOf(server(13))).toBe("HF_CREDENTIALS");
	expect(codeOf(server(121))).toBe("HF_REJECTED");
	expect(codeOf(new HoldfastError("HF_FROZEN", "another map"))).toBe("HF_FROZEN");
	expect(String(finalError(server(121), "a page"))).not.toContain("said");
});
