import * as pulumi from "@pulumi/pulumi";
import { describe, HoldfastError } from "../runtime/errors.ts";
import { readSettings } from "./settings.ts";

// The SDK's debug messages hold every resource with its secrets in the open, and `pulumi up --json` prints them.
Object.assign(pulumi.log, { debug: async () => {} });

/** Picks the program by configuration, never by the stack's name: people have two stacks of one kind. */
export default async function program(): Promise<object> {
	const settings = readSettings();
	try {
		switch (settings.program) {
			case "local":
				return (await import("./local.ts")).local(settings);
		}
	} catch (error) {
		// A refused setting is for the operator: Pulumi shows it without a stack trace then.
		throw error instanceof HoldfastError ? new pulumi.RunError(describe(error)) : error;
	}
}
