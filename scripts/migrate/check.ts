import { HoldfastError } from "../../runtime/errors.ts";
import { readText } from "../../runtime/files.ts";
import { openLedger } from "../../runtime/migrate/ledger.ts";
import type { Migration } from "../../runtime/migrate/model.ts";
import { checkReport } from "../../runtime/migrate/report.ts";
import { openTarget } from "../../runtime/migrate/target.ts";
import { recordedReport } from "../../runtime/migrate/verifyRuns.ts";
import { fileNamed } from "../declarationFile.ts";
import type { MigrateOptions } from "./options.ts";

/** Checks that a report's file is as it was written, and, where the migration is named, that the ledger has it too. */
export async function check({ check: file, json }: MigrateOptions, declaration?: Migration): Promise<number> {
	const text = await readText(fileNamed(file!));
	if (text === undefined) throw new HoldfastError("HF_USAGE", `there is no file ${fileNamed(file!)}`);
	const { migration, run, verdict, sha256 } = checkReport(text, file!);
	const recorded = declaration && (await isRecorded(declaration, migration, sha256));
	if (recorded === false)
		throw new HoldfastError("HF_DAMAGED", `the ledger of migration ${declaration!.name} has no report ${sha256}`, {
			next: "the file is of another migration, or was written anew: verify again",
		});
	const where = recorded
		? ", as it stands in the ledger"
		: "; whether the ledger has it, only FILE and --check together tell";
	const said = `report of verification ${run} of migration ${migration} (${verdict}) is unaltered${where}: ${sha256}`;
	console.log(json ? JSON.stringify({ migration, run, verdict, sha256, recorded: recorded ?? null }) : said);
	return 0;
}

async function isRecorded(declaration: Migration, migration: string, sha256: string): Promise<boolean> {
	const client = await openTarget(declaration.mongo);
	try {
		return (
			migration === declaration.name &&
			(await recordedReport(openLedger(client, declaration.ledger), migration, sha256))
		);
	} finally {
		await client.close();
	}
}
