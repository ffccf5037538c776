import { MigrationMetrics } from "../../../runtime/migrate/metrics.ts";

test("figures are served on loopback, with names and numbers only", async () => {
	const metrics = new MigrationMetrics("dyff");
	metrics.counted("load", "Dataset", { read: 5, written: 4, dead: 1 });
	metrics.counted("load", "Dataset", { read: 5, written: 5 });
	metrics.progressed({ phase: "load", step: "1 of 2 partitions", done: 10, total: 100, rate: 2.5, eta: 36 });
	metrics.expires("2026-11-21T10:00:00Z");
	const port = await metrics.listen(0);
	try {
		const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
		const text = await answer.text();
		const labels = 'migration="dyff"';
		for (const line of [
			`holdfast_migrate_items_total{job="load",group="Dataset",outcome="read",${labels}} 10`,
			`holdfast_migrate_items_total{job="load",group="Dataset",outcome="dead",${labels}} 1`,
			`holdfast_migrate_done_items{job="load",${labels}} 10`,
			`holdfast_migrate_total_items{job="load",${labels}} 100`,
			`holdfast_migrate_rate_items_per_second{job="load",${labels}} 2.5`,
			`holdfast_migrate_eta_seconds{job="load",${labels}} 36`,
			`holdfast_migrate_read_time_expires_seconds{${labels}} ${Date.parse("2026-11-21T10:00:00Z") / 1000}`,
		])
			expect(text.split("\n")).toContain(line);
		expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(404);
	} finally {
		await metrics.close();
	}
	await expect(fetch(`http://127.0.0.1:${port}/metrics`)).rejects.toThrow();
});
