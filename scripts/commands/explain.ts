import { type Code, codes, HoldfastError } from "../../runtime/errors.ts";

export async function run({ args: [code], json }: { args: [string]; json: boolean }): Promise<void> {
	if (!(code in codes))
		throw new HoldfastError("HF_USAGE", `there is no error code ${code}: ${Object.keys(codes).join(", ")}`);
	const { exit, next, meaning } = codes[code as Code];
	if (json) console.log(JSON.stringify({ code, meaning, exit, next }));
	else console.log(`${code} (exit code ${exit}): ${meaning}.\nNext: ${next}.`);
}
