// The entry point for the Pulumi language host. Plain JavaScript: it must be able to speak when Node is too old
// to run the TypeScript behind it.
if (!process.features.typescript) {
	console.error(
		`HF_TOOL: Node ${process.versions.node} cannot run this program (24 or newer can). ` +
			'Next: npm run pulumi -- up, or eval "$(npm run --silent holdfast -- env)" and then pulumi up',
	);
	process.exit(1);
}

export default async () => (await import("./index.ts")).default();
