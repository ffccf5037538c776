import * as pulumi from "@pulumi/pulumi";

/** What a program asked Pulumi to register. */
export interface Registered {
	type: string;
	name: string;
	/** As plain values. */
	inputs: Record<string, unknown>;
	/** Inputs that are secret, as dotted paths. */
	secrets: string[];
	/** Names of the resources it waits for, named or by way of an input. */
	after: string[];
	parent: string;
	protect: boolean;
	deletedWith: string;
	secretOutputs: string[];
	deleteBeforeReplace: boolean;
}

interface Request {
	getType(): string;
	getName(): string;
	getObject(): { toJavaScript(): Record<string, unknown> };
	getDependenciesList(): string[];
	getParent(): string;
	getProtect(): boolean;
	getDeletedwith(): string;
	getAdditionalsecretoutputsList(): string[];
	getDeletebeforereplace(): boolean;
}
type Monitor = { registerResource(request: Request, callback: unknown): Promise<void> };

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const isSecret = (value: unknown): value is { value: unknown } =>
	typeof value === "object" && value !== null && SIGNATURE in value;

function plain(value: unknown, path: string, secrets: string[]): unknown {
	if (isSecret(value)) {
		secrets.push(path);
		return plain(value.value, path, []);
	}
	if (Array.isArray(value)) return value.map((item, i) => plain(item, `${path}.${i}`, secrets));
	if (typeof value !== "object" || value === null) return value;
	return Object.fromEntries(
		Object.entries(value).map(([key, item]) => [key, plain(item, path ? `${path}.${key}` : key, secrets)]),
	);
}

const nameOf = (urn: string): string => urn.split("::").at(-1) ?? "";

function registered(request: Request): Registered {
	const secrets: string[] = [];
	return {
		type: request.getType(),
		name: request.getName(),
		inputs: plain(request.getObject().toJavaScript(), "", secrets) as Record<string, unknown>,
		secrets,
		after: request.getDependenciesList().map(nameOf).sort(),
		parent: nameOf(request.getParent()),
		protect: request.getProtect(),
		deletedWith: nameOf(request.getDeletedwith()),
		secretOutputs: request.getAdditionalsecretoutputsList(),
		deleteBeforeReplace: request.getDeletebeforereplace(),
	};
}

/** Outputs that the runtime would give, by type. Secrets are base64, and told apart by the resource's name. */
function outputsOf({ type, name, inputs }: Registered): Record<string, unknown> {
	const source = inputs.source as { value?: string } | undefined;
	if (type.endsWith("secret:Secret"))
		return { ...inputs, value: source?.value ?? `value+of/${name.replaceAll("-", "/")}` };
	if (type.endsWith("mongo:ReplicaSet")) return { ...inputs, replicaSetId: "0123456789abcdef01234567" };
	if (type.endsWith("tls:Identity")) {
		const ca = `ca of ${inputs.cluster}`;
		const pairs = (inputs.services as string[]).flatMap((service) => [
			[`${service}.crt`, `certificate of ${inputs.member}`],
			[`${service}.key`, `key+of/${inputs.member}`],
		]);
		const files = { "ca.pem": ca, "mongod.pem": `key+of/${inputs.member}`, ...Object.fromEntries(pairs) };
		return { ...inputs, files, ca };
	}
	if (type.endsWith("postgres:Retire")) return { ...inputs, retired: [] };
	if (type.endsWith("postgres:Cluster"))
		return { ...inputs, systemIdentifier: "7000000000000000001", serverVersion: "18.4" };
	if (type.endsWith("redis:Retire")) return { ...inputs, retired: [] };
	if (type.endsWith("redis:Cluster")) return { ...inputs, serverVersion: "7.0.15" };
	if (type.endsWith("migrate:IdMap")) return { ...inputs, hash: "ab".repeat(32), count: 3, segments: 1 };
	if (type.endsWith("migrate:Migration")) return { ...inputs, state: "complete", read: 3, written: 3 };
	if (type.endsWith("platform:Host")) return { ...inputs, hostId: "host-id" };
	return inputs;
}

/** Runs `program` under mocks that keep secrets secret, as the engine does, and waits for all it registered. */
export async function underMocks<T>(program: () => T): Promise<{ result: T; resources: Registered[] }> {
	const resources: Registered[] = [];
	await pulumi.runtime.setMocks({
		newResource({ type, name }) {
			const resource = only(resources, type, name);
			const isSecret = (key: string) => resource.secretOutputs.includes(key);
			const own = Object.entries(outputsOf(resource));
			const state = Object.fromEntries(own.map(([key, value]) => [key, isSecret(key) ? pulumi.secret(value) : value]));
			return { id: `${name}-id`, state };
		},
		call: () => ({}),
	});
	const { MockMonitor } = jest.requireActual<{ MockMonitor: { prototype: Monitor } }>("@pulumi/pulumi/runtime/mocks");
	const original = MockMonitor.prototype.registerResource;
	const spy = jest.spyOn(MockMonitor.prototype, "registerResource").mockImplementation(function (
		this: Monitor,
		request,
		callback,
	) {
		resources.push(registered(request));
		return original.call(this, request, callback);
	});
	try {
		const result = program();
		await pulumi.runtime.disconnect();
		return { result, resources };
	} finally {
		spy.mockRestore();
	}
}

/** The one resource of that name and type; fails when there is another number of them. */
export function only(resources: readonly Registered[], type: string, name: string): Registered {
	const found = resources.filter((resource) => resource.type === type && resource.name === name);
	if (found.length !== 1)
		throw new Error(
			`${found.length} resources ${type} ${name} among ${resources.map((r) => `${r.type} ${r.name}`).join(", ")}`,
		);
	return found[0]!;
}

/** An output's value, and whether it is secret. */
export async function known<T>(output: pulumi.Output<T>): Promise<{ value: T; secret: boolean }> {
	const inner = output as unknown as { promise(): Promise<T>; isSecret: Promise<boolean> };
	return { value: await inner.promise(), secret: await inner.isSecret };
}
