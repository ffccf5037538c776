import { z } from "zod";
import type { ClusterView, HistoryEntry, PatroniStatus } from "./state.ts";

/** What is used of Patroni's answers; anything else in them is ignored. */
export const viewSchema: z.ZodType<ClusterView> = z.object({
	members: z.array(
		z.object({
			name: z.string(),
			role: z.enum(["leader", "standby_leader", "sync_standby", "quorum_standby", "replica"]),
			state: z.string(),
			host: z.string().optional(),
			port: z.number().optional(),
			api_url: z.string(),
			timeline: z.number().optional(),
			lag: z.union([z.number(), z.literal("unknown")]).optional(),
			pending_restart: z.boolean().optional(),
		}),
	),
	scope: z.string().optional(),
	pause: z.boolean().optional(),
	scheduled_switchover: z.object({ at: z.string(), from: z.string().optional(), to: z.string().optional() }).optional(),
});

const reasonSchema = z.object({ old_value: z.string(), new_value: z.string() });

export const patroniSchema: z.ZodType<PatroniStatus> = z.object({
	state: z.string(),
	role: z.string(),
	server_version: z.number().optional(),
	timeline: z.number().optional(),
	replication_state: z.string().optional(),
	pending_restart: z.boolean().optional(),
	pending_restart_reason: z.record(z.string(), reasonSchema).optional(),
	database_system_identifier: z.string().optional(),
	cluster_unlocked: z.boolean().optional(),
	failsafe_mode_is_active: z.boolean().optional(),
	pause: z.boolean().optional(),
	dcs_last_seen: z.number().optional(),
	patroni: z.object({ version: z.string(), scope: z.string(), name: z.string() }),
});

export const historySchema: z.ZodType<HistoryEntry[]> = z.array(
	z.array(z.union([z.number(), z.string()])).transform((entry) => entry as HistoryEntry),
);
