// Prints the certificates of the inputs that are its argument, with every source of randomness taken away.
import crypto, { getRandomValues, randomBytes } from "node:crypto";
import { syncBuiltinESMExports } from "node:module";

const NAMES = [
	"getRandomValues",
	"randomUUID",
	"random",
	"sign",
	"generateKey",
	"generateKeyPair",
	"generateKeyPairSync",
];
const web = globalThis.crypto;
for (const source of [crypto, Object.getPrototypeOf(web), Object.getPrototypeOf(web.subtle), Math]) {
	const names = Object.keys(Object.getOwnPropertyDescriptors(source));
	for (const name of names.filter((one) => NAMES.includes(one) || one.startsWith("random"))) {
		const value = () => {
			throw new Error(`${name} was called`);
		};
		if (Object.getOwnPropertyDescriptor(source, name)!.configurable) Object.defineProperty(source, name, { value });
	}
}
syncBuiltinESMExports();
for (const draw of [
	() => randomBytes(1),
	() => getRandomValues(new Uint8Array(1)),
	() => web.randomUUID(),
	Math.random,
]) {
	let drawn: unknown;
	try {
		drawn = draw();
	} catch {}
	if (drawn !== undefined) throw new Error(`${draw} still draws random numbers`);
}

const { identityOf } = await import("../../runtime/tls/identity.ts");
console.log(JSON.stringify(await identityOf(JSON.parse(process.argv[2]!))));
