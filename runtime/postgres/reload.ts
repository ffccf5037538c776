import { failpoint } from "../failpoint.ts";
import { lookAt, say, statusesOf, type Work, withRest } from "./work.ts";

/**
 * Makes the Patronis of `members` read their files and the configuration in etcd, and waits until they have: Patroni
 * answers a reload at once and does it in its next round, which a configuration that changes nothing brings forward.
 * A round is over when it has been in touch with etcd since.
 */
export async function reload(work: Work, members: readonly string[]): Promise<void> {
	await failpoint("postgres/reloading");
	for (const name of members) await withRest(work, name, (rest) => rest.reload());
	await nextRound(work, members);
}

/** As `reload`, of those that answer: one that does not reads its files when it starts. */
export async function reloadAnswering(work: Work, members: readonly string[]): Promise<void> {
	const statuses = await statusesOf(work);
	const readers = members.filter((name) => statuses.has(name));
	if (readers.length > 0) await reload(work, readers);
}

/** Waits until each of `members` has finished a round that began from now on. */
export async function nextRound(work: Work, members: readonly string[]): Promise<void> {
	await lookAt(work);
	await Promise.all(members.map((name) => oneRound(work, name)));
}

async function oneRound(work: Work, name: string): Promise<void> {
	// Patroni counts whole seconds, and a round that was under way may still touch etcd in the next one.
	const since = Math.floor(Date.now() / 1000) + 1;
	for (;;) {
		await withRest(work, name, (rest) => rest.wake());
		for (let tries = 0; tries < 6; tries++) {
			const seen = (await statusesOf(work)).get(name)?.dcs_last_seen ?? 0;
			if (seen > since) return;
			await work.deadline.pause(200, `${name} to read its configuration`);
		}
		say(work, `waiting for ${name} to read its configuration`);
	}
}
