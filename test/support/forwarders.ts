// Prints what Pulumi would keep in state as code of each kind. Run by plain Node: a test runner compiles another text.
import { createRequire } from "node:module";
import { provider } from "../../components/dynamic.ts";
import { type KindName, kinds } from "../../runtime/kinds.ts";

const { serializeFunction } = createRequire(import.meta.url)("@pulumi/pulumi/runtime/closure/serializeClosure.js");
const texts: Record<string, string> = {};
for (const kind of Object.keys(kinds) as KindName[]) {
	const shim = provider(kind);
	texts[kind] = (await serializeFunction(() => shim, { allowSecrets: true })).text;
}
console.log(JSON.stringify(texts));
