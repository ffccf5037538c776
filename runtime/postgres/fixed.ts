import { HoldfastError } from "../errors.ts";
import { hostport } from "../platform/model.ts";
import { postgresBuild } from "../tools.ts";
import type { PostgresRetireInputs } from "./clusterArguments.ts";
import type { PostgresRecord } from "./record.ts";

type Inputs = Pick<PostgresRetireInputs, "version" | "build" | "users" | "adopt" | "tls" | "members">;

/**
 * Refuses changes of what is fixed at a cluster's birth, before anything is staged: members would run on as they are
 * until whatever restarts one of them, and then stay down. HF_SETTING names the setting; HF_FOREIGN: `adopt` means
 * another cluster than the one that is known here.
 */
export async function checkFixed(inputs: Inputs, record: PostgresRecord | undefined): Promise<void> {
	if (record) {
		checkIdentity(inputs, record);
		checkVersion(inputs, record);
		checkUsers(inputs, record);
		checkTls(inputs, record);
		checkAddresses(inputs, record);
	}
	await checkBuild(inputs);
}

function checkIdentity({ adopt }: Inputs, { scope, systemIdentifier }: PostgresRecord): void {
	if (!adopt || systemIdentifier === undefined || adopt.systemIdentifier === systemIdentifier) return;
	throw new HoldfastError(
		"HF_FOREIGN",
		`adopt.systemIdentifier is ${adopt.systemIdentifier}, but cluster ${scope} is known here as ${systemIdentifier}`,
		{ next: "correct adopt.systemIdentifier, or remove adopt" },
	);
}

function checkVersion({ version }: Inputs, { scope, version: found = version }: PostgresRecord): void {
	if (found === version) return;
	throw new HoldfastError(
		"HF_SETTING",
		`version is ${version}, but the data of ${scope} is of PostgreSQL ${found}: a major version never changes in place`,
		{ next: `restore version ${found}; for another one make a new cluster and move the data` },
	);
}

const settings = { superuser: "superuser", replication: "replicationUser", rewind: "rewindUser" } as const;

function checkUsers({ users }: Inputs, { scope, users: found = users }: PostgresRecord): void {
	for (const role of ["superuser", "replication", "rewind"] as const) {
		if (users[role] === found[role]) continue;
		const setting = settings[role];
		throw new HoldfastError(
			"HF_SETTING",
			`${setting} is ${users[role]}, but ${scope} was made with ${found[role]}: the names of Patroni's own roles cannot change`,
			{ next: `restore ${setting}` },
		);
	}
}

function checkTls({ tls }: Inputs, { scope, systemIdentifier, tls: found }: PostgresRecord): void {
	if (systemIdentifier === undefined || tls === (found !== undefined)) return;
	const was = found ? "with" : "without";
	throw new HoldfastError(
		"HF_SETTING",
		`tls is ${tls ? "on" : "off"}, but ${scope} runs ${was} it: its servers would not understand each other meanwhile`,
		{ next: "restore tls; for a cluster that differs make a new one and move the data" },
	);
}

/** Members know each other by address. */
function checkAddresses({ members }: Inputs, { hosts, systemIdentifier }: PostgresRecord): void {
	for (const { name, postgres, patroni } of members) {
		const found = hosts.find((host) => host.name === name);
		if (!found || systemIdentifier === undefined) continue;
		const moved = [
			[hostport(postgres), hostport(found)],
			[hostport(patroni), hostport(found.patroni)],
		].find(([wanted, now]) => wanted !== now);
		if (!moved) continue;
		throw new HoldfastError("HF_SETTING", `${name} is at ${moved[1]}, not at ${moved[0]}: addresses cannot change`, {
			next: "restore address and ports",
		});
	}
}

async function checkBuild({ version, build, tls }: Inputs): Promise<void> {
	const { path, version: built } = await postgresBuild({ version: build ?? String(version), tls });
	if (Number(built.split(".")[0]) === version) return;
	throw new HoldfastError("HF_SETTING", `build is PostgreSQL ${built} (${path}), but version is ${version}`, {
		next: "correct build or version",
	});
}
