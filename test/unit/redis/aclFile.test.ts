import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { aclText, parseAcl, widened } from "../../../runtime/redis/aclFile.ts";
import { root } from "../../support/node.ts";

const hash = (letter: string) => letter.repeat(64);
const text = aclText({ node: [hash("a")], admin: [hash("b")] });

test("nobody without a name gets in; the managers' user touches its own keys with its own commands", () => {
	expect(text).toBe(`user default off resetkeys resetchannels -@all
user holdfast on #${hash("a")} ~d:* ~m:* resetchannels -@all +ping +info +time +config|get +eval +evalsha +scan +get +mget +set +getrange +unlink
user holdfast-admin on #${hash("b")} resetkeys resetchannels -@all +ping +info +acl|load +config|get
`);
});

/** What the managers' sources send to a node. */
function commandsSent(): string[] {
	const folder = join(root, "runtime/redis");
	const files = ["connection.ts", "facts.ts", "node.ts", "carriers.ts", "pages.ts", "batch.ts"];
	const scripts = readdirSync(folder).filter((file) => /script/i.test(file));
	const found = [...files, ...scripts].flatMap((file) => {
		const source = readFileSync(join(folder, file), "utf8");
		return [
			...source.matchAll(/\bp?call\('([A-Z]+)'/g),
			...source.matchAll(/(?:send|sendCommand|scan|args)\S*(?: = |: Argument\[\] = )?\(?\["([A-Z]+)"/g),
		].map(([, command]) => command!.toLowerCase());
	});
	return [...new Set(found)].sort();
}

test("the managers' user may send exactly what managers send", () => {
	const sent = commandsSent();
	expect(sent).toEqual(expect.arrayContaining(["eval", "evalsha", "get", "getrange", "mget", "scan", "set", "unlink"]));
	const line = text.split("\n")[1]!;
	const allowed = [...line.matchAll(/\+(\w+)/g)].map(([, command]) => command!);
	// The client pings an idle connection by itself.
	expect(allowed.filter((command) => command !== "ping").sort()).toEqual(sent);
});

test("passwords come out of a text as they went in, also out of another release's", () => {
	const wide = aclText({ node: [hash("a"), hash("c")], admin: [hash("b")] });
	expect(parseAcl(wide)).toEqual({ node: [hash("a"), hash("c")], admin: [hash("b")] });
	expect(parseAcl(`user holdfast on #${hash("d")} ~* +@all\n`)).toEqual({ node: [hash("d")], admin: [] });
	expect(parseAcl("")).toEqual({ node: [], admin: [] });
});

test("in between, the former passwords count besides the wanted ones", () => {
	const wanted = { node: [hash("1")], admin: [hash("2")] };
	expect(widened(wanted, parseAcl(text))).toEqual({ node: [hash("1"), hash("a")], admin: [hash("2"), hash("b")] });
	expect(widened(wanted, wanted)).toEqual(wanted);
});
