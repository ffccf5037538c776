import { isIP, isIPv6 } from "node:net";
import { type Authority, authorityCertificate, leafCertificate, type Validity } from "./certificate.ts";
import { deriveKey, keyPem, masterKey } from "./keys.ts";
import type { IdentityInputs, IdentityOutputs, Service } from "./model.ts";
import { passphraseOf } from "./rotation.ts";

const DAY_MS = 86_400_000;

/** How each service uses its certificate. etcd's gateway and its peers, Patroni and mongod also call with theirs. */
const USES: Readonly<Record<Service, { server: boolean; client: boolean }>> = {
	postgres: { server: true, client: false },
	patroni: { server: true, client: true },
	etcd: { server: true, client: true },
	"etcd-client": { server: false, client: true },
	peer: { server: true, client: true },
	mongod: { server: true, client: true },
	client: { server: false, client: true },
};

interface Generation {
	master: Uint8Array;
	authority: Authority;
}

interface Leaf {
	service: Service;
	/** File name without its ending. */
	file: string;
	/** Common name. */
	name: string;
}

/** Valid from the declared epoch on, never from the clock's time: the same on every host and in every run. */
export function validityOf({ epoch, days }: Pick<IdentityInputs, "epoch" | "days">): Validity {
	const notBefore = new Date(`${epoch}T00:00:00Z`);
	return { notBefore, notAfter: new Date(notBefore.getTime() + days * DAY_MS) };
}

/** Certificates and keys of one member: a function of `inputs` and nothing else. */
export async function identityOf(inputs: IdentityInputs): Promise<IdentityOutputs> {
	const validity = validityOf(inputs);
	const numbers = [...inputs.trusted].sort((a, b) => a - b);
	const generations = await Promise.all(numbers.map((number) => generationOf(inputs, number)));
	const authorities = await Promise.all(generations.map(({ authority }) => authorityCertificate(authority, validity)));
	const ca = authorities.join("");
	const inForce = generations[numbers.indexOf(inputs.generation)]!;
	const issued = await Promise.all(leavesOf(inputs).map((leaf) => filesOf(inputs, inForce, leaf, validity)));
	const files = Object.assign({ "ca.pem": ca }, ...issued) as IdentityOutputs["files"];
	return { files, ca, notAfter: validity.notAfter.toISOString() };
}

async function generationOf(inputs: IdentityInputs, generation: number): Promise<Generation> {
	const { cluster } = inputs;
	const master = await masterKey(passphraseOf(inputs, generation), cluster, generation);
	const subject = [
		["O", cluster],
		["CN", `CA ${generation}`],
	] as const;
	return { master, authority: { subject, key: deriveKey(master, ["ca"]) } };
}

function leavesOf({ member, services, users }: IdentityInputs): Leaf[] {
	return services.flatMap((service): Leaf[] => {
		if (service !== "client") return [{ service, file: service, name: member }];
		return users.map((name, index) => ({ service, file: index === 0 ? "client" : `client-${name}`, name }));
	});
}

/**
 * Patroni reads the CAs that it trusts anew only with a certificate of another serial number: while others than the CA in
 * force are trusted, certificates are of an edition of their own.
 */
function editionOf({ generation, trusted }: IdentityInputs): { edition?: string } {
	const others = trusted.filter((number) => number !== generation).sort((a, b) => a - b);
	return others.length === 0 ? {} : { edition: `beside ${others.join(", ")}` };
}

async function filesOf(
	inputs: IdentityInputs,
	{ master, authority }: Generation,
	{ service, file, name }: Leaf,
	validity: Validity,
): Promise<Record<string, string>> {
	const { cluster, member, hosts } = inputs;
	const key = deriveKey(master, ["leaf", service, member, name]);
	// etcd's gateway refuses whoever shows a common name, once it asks for passwords: it could not act for that name.
	const common = service === "etcd-client" ? [] : [["CN", name] as const];
	const subject = [["O", cluster] as const, ["OU", service] as const, ...common];
	const use = USES[service];
	const request = { subject, key, ...use, names: use.server ? namesOf(hosts) : [], ...editionOf(inputs), ...validity };
	const certificate = await leafCertificate(authority, request);
	if (service === "mongod") return { "mongod.pem": `${certificate}${keyPem(key)}` };
	return { [`${file}.crt`]: certificate, [`${file}.key`]: keyPem(key) };
}

/** Sorted and each once, so that the order in which a program lists them says nothing. */
function namesOf(hosts: readonly string[]) {
	const canonical = hosts.map((host) => (isIPv6(host) ? new URL(`http://[${host}]`).hostname.slice(1, -1) : host));
	const distinct = [...new Set(canonical.map((host) => host.toLowerCase()))].sort();
	return distinct.map((value) => ({ type: isIP(value) ? ("ip" as const) : ("dns" as const), value }));
}
