import { HoldfastError } from "../errors.ts";
import { failpoint } from "../failpoint.ts";
import { stackLog } from "../log.ts";
import { sha256 } from "../sha256.ts";
import { ACL_FILE, type AclHashes, aclText, parseAcl, widened } from "./aclFile.ts";
import type { RedisClusterInputs, RedisMemberInputs } from "./clusterArguments.ts";
import { acceptsManagers, loadUsers } from "./nodeAdmin.ts";
import { keeping, restartNode } from "./roll.ts";
import { save, say, type Work } from "./work.ts";

const wantedOf = ({ nodePassword, adminPassword }: RedisClusterInputs): AclHashes => ({
	node: [sha256(nodePassword)],
	admin: [sha256(adminPassword)],
});

/** Lets the nodes take the declared passwords besides those that they take now: nobody is locked out meanwhile. */
export async function admitUsers(work: Work, inputs: RedisClusterInputs): Promise<void> {
	const wanted = wantedOf(inputs);
	for (const node of inputs.nodes) {
		const held = await work.host.read(node.name, ACL_FILE);
		// Also a text of another release with the same passwords: the commands in it are that release's.
		const text = aclText(widened(wanted, parseAcl(held ?? "")));
		await bring(work, inputs, node, text, held);
	}
}

/** Takes the former passwords away from the nodes, once nobody uses them any more, and proves the declared ones. */
export async function dropUsers(work: Work, inputs: RedisClusterInputs): Promise<void> {
	await failpoint("redis/dropping");
	const text = aclText(wantedOf(inputs));
	for (const node of inputs.nodes) await bring(work, inputs, node, text, await work.host.read(node.name, ACL_FILE));
	for (const node of inputs.nodes) {
		if (await acceptsManagers(node, inputs.nodePassword)) continue;
		throw new HoldfastError("HF_CREDENTIALS", `${node.name} refuses the password that the managers have`);
	}
	work.record.changingUsers = undefined;
	work.record.previousAdminPassword = undefined;
	await save(work);
}

/** Brings one node's users to `text`; one at a time: whoever served before serves again before the next. */
async function bring(
	work: Work,
	inputs: RedisClusterInputs,
	node: RedisMemberInputs,
	text: string,
	held: string | undefined,
): Promise<void> {
	const { record, access, host } = work;
	if (held === text && !record.changingUsers) return;
	if (!record.changingUsers) {
		record.changingUsers = true;
		await save(work);
	}
	await host.write(node.name, ACL_FILE, text);
	await failpoint("redis/users");
	stackLog(access.stack).info({ cluster: access.cluster, node: node.name }, "users");
	say(work, `new users for ${node.name}`);
	await keeping(work, inputs, () => load(work, inputs, node));
}

/** A node that lets no administrator in whom anybody knows here reads its users when it starts. */
async function load(work: Work, inputs: RedisClusterInputs, node: RedisMemberInputs): Promise<void> {
	const { adminPassword, previousAdminPassword } = work.record;
	for (const password of [adminPassword, ...(previousAdminPassword === undefined ? [] : [previousAdminPassword])]) {
		try {
			return await loadUsers(node, password);
		} catch (error) {
			if (!(error instanceof HoldfastError) || error.code !== "HF_CREDENTIALS") throw error;
		}
	}
	await restartNode(work, inputs, node, "to read its users");
}
