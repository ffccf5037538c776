import { dirname, resolve } from "node:path";
import { parseDocument } from "yaml";
import type { z } from "zod";
import { HoldfastError } from "../runtime/errors.ts";
import { readText } from "../runtime/files.ts";
import { startedIn } from "./startedIn.ts";

/** Where a file of the command line lies. */
export const fileNamed = (name: string): string => resolve(startedIn, name);

/** A folder or file that a declaration names: relative to the declaration's own folder; `gs://` stays. */
export const beside = (file: string, named: string): string =>
	named.startsWith("gs://") ? named : resolve(dirname(fileNamed(file)), named);

/** A YAML or JSON file, checked. HF_USAGE when there is none, HF_SETTING with every problem and its path. */
export async function readDeclaration<T extends z.ZodType>(file: string, schema: T): Promise<z.output<T>> {
	const text = await readText(fileNamed(file));
	if (text === undefined) throw new HoldfastError("HF_USAGE", `there is no file ${fileNamed(file)}`);
	const document = parseDocument(text, { prettyErrors: true });
	// Without the parser's own words: they quote the text, which may hold a secret.
	const at = document.errors.map(({ code, linePos }) => `line ${linePos?.[0].line ?? "?"}: ${code}`);
	if (at.length > 0) throw refused(file, at);
	const result = schema.safeParse(document.toJS());
	if (result.success) return result.data;
	throw refused(
		file,
		result.error.issues.map(({ path, message }) => `${path.join(".") || "the file"}: ${message}`),
	);
}

const refused = (file: string, problems: readonly string[]): HoldfastError =>
	new HoldfastError("HF_SETTING", `${file} is refused: ${problems.join("; ")}`, {
		next: "correct the file and run the command again",
	});
