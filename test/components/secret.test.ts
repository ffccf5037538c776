import * as pulumi from "@pulumi/pulumi";
import { secretValue } from "../../components/secret.ts";
import { known, only, underMocks } from "../support/mocks.ts";

const TYPE = "pulumi-nodejs:dynamic/secret:Secret";

test("a generated secret is a resource with the shape in the open and the value secret", async () => {
	const { result, resources } = await underMocks(() =>
		secretValue("key", { kind: "generated", bytes: 756, encoding: "base64" }),
	);
	const { inputs, secrets, secretOutputs, deleteBeforeReplace } = only(resources, TYPE, "key");
	expect(inputs).toMatchObject({
		name: "key",
		source: { kind: "generated", bytes: 756, encoding: "base64", generation: 1 },
	});
	expect([secrets, secretOutputs, deleteBeforeReplace]).toEqual([[], ["value"], true]);
	expect(await known(result)).toEqual({ value: "value+of/key", secret: true });
});

test("a derived secret keeps its passphrase secret, and shows its generation", async () => {
	const passphrase = "correct horse battery staple";
	const { resources } = await underMocks(() => secretValue("key", { kind: "derived", passphrase, generation: 3 }));
	const { inputs, secrets } = only(resources, TYPE, "key");
	expect(inputs.source).toEqual({ kind: "derived", passphrase, bytes: 32, encoding: "base64url", generation: 3 });
	expect(secrets).toEqual(["source.passphrase"]);
});

test("a given secret is a resource too, so that its source can change, and becomes secret also when given in the open", async () => {
	for (const value of ["open", pulumi.output("open"), pulumi.secret("open")]) {
		const { result, resources } = await underMocks(() => secretValue("key", { kind: "given", value }));
		const { inputs, secrets } = only(resources, TYPE, "key");
		expect([inputs.source, secrets]).toEqual([{ kind: "given", value: "open" }, ["source.value"]]);
		expect(await known(result)).toEqual({ value: "open", secret: true });
	}
});
