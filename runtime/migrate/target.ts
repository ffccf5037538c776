import { MongoClient, type MongoClientOptions } from "mongodb";
import { requireRecord } from "../access.ts";
import { describe, HoldfastError } from "../errors.ts";
import { adminCredential, isRefused } from "../mongo/connect.ts";
import type { MongoRecord } from "../mongo/record.ts";
import { tlsOptions } from "../mongo/tls.ts";
import type { MongoTarget } from "./model.ts";

/**
 * A write that a majority does not acknowledge in time is an error of the page, which is then done again: without a
 * limit, a set that lost its majority would hang the run.
 */
const OPTIONS: MongoClientOptions = {
	// Each by its own name: a URI that says otherwise would win over `writeConcern`.
	...{ w: "majority", journal: true, wtimeoutMS: 60_000 },
	retryWrites: true,
	retryReads: true,
	heartbeatFrequencyMS: 2000,
	maxPoolSize: 64,
	appName: "holdfast-migrate",
};

/**
 * A connected client of a replica set; writes wait for a majority and its journals. The caller closes it. HF_SETTING for
 * a server that is no member of a replica set, HF_CREDENTIALS, HF_UNREACHABLE.
 */
export async function openTarget(mongo: MongoTarget): Promise<MongoClient> {
	const client = "access" in mongo ? await byRecord(mongo.access) : await byVariable(mongo.uriVariable);
	try {
		await refuseOthers(client);
		return client;
	} catch (error) {
		await client.close();
		throw error;
	}
}

async function byRecord(access: { stack: string; cluster: string }): Promise<MongoClient> {
	const record = await requireRecord<MongoRecord>(access);
	const what = `replica set ${record.name}`;
	for (const admin of [record.admin, record.previousAdmin]) {
		if (!admin) continue;
		const { user: username, password, source: authSource } = adminCredential(admin);
		const client = new MongoClient(`mongodb://${record.hosts.join(",")}/`, {
			...OPTIONS,
			...tlsOptions(record.tls),
			auth: { username, password },
			authSource,
			authMechanism: "SCRAM-SHA-256",
			replicaSet: record.name,
		});
		const connected = await connect(client, what);
		if (connected) return client;
	}
	throw new HoldfastError("HF_CREDENTIALS", `${what} refuses the admin ${record.admin.user}`, {
		next: "run holdfast up: it restores the admin's password through the members' key file",
	});
}

async function byVariable(variable: string): Promise<MongoClient> {
	const uri = process.env[variable];
	if (!uri) throw new HoldfastError("HF_SETTING", `the environment has no ${variable}: it holds the target's URI`);
	const client = parsed(uri, variable);
	if (await connect(client, `the replica set in ${variable}`)) return client;
	throw new HoldfastError("HF_CREDENTIALS", `the replica set in ${variable} refuses the user and password of the URI`);
}

function parsed(uri: string, variable: string): MongoClient {
	try {
		return new MongoClient(uri, OPTIONS);
	} catch {
		// Without the driver's words: they may quote the URI.
		throw new HoldfastError("HF_SETTING", `${variable} is not a URI of MongoDB`, {
			next: "use mongodb://user:password@host:port/?replicaSet=name, with special characters percent-encoded",
		});
	}
}

/** False: the server refuses the credential. */
async function connect(client: MongoClient, what: string): Promise<boolean> {
	try {
		await client.connect();
		return true;
	} catch (error) {
		await client.close();
		if (isRefused(error)) return false;
		throw new HoldfastError("HF_UNREACHABLE", `${what} has no reachable primary (${describe(error)})`, {
			next: "check that its members run, and that their host names resolve here",
		});
	}
}

/** Without a replica set there is no majority to wait for, and no way to tell what a restart took back. */
async function refuseOthers(client: MongoClient): Promise<void> {
	const hello = await client.db("admin").command({ hello: 1 });
	if (hello.setName !== undefined) return;
	const what = hello.msg === "isdbgrid" ? "a router of a sharded cluster" : "a standalone server";
	throw new HoldfastError("HF_SETTING", `the target is ${what}: a migration needs a replica set`, {
		next: "start mongod with --replSet and run rs.initiate(): one member is enough",
	});
}
