import { ensureHome, pulumiEnvironment } from "../environment.ts";

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** Shell lines, or JSON; no secret is in them: the passphrase is named by its file. */
export async function run({ json }: { json: boolean }): Promise<void> {
	await ensureHome();
	const variables = pulumiEnvironment();
	if (json) console.log(JSON.stringify(variables, null, 2));
	else for (const [name, value] of Object.entries(variables)) console.log(`export ${name}=${quote(value)}`);
}
