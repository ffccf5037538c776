import { isIP } from "node:net";
import { z } from "zod";

/** Where a system listens: `ip` without brackets, IPv4 or IPv6. */
export interface Address {
	ip: string;
	port: number;
}

export const portSchema = z.int().min(1).max(65_535);

/** `ip:port`, with brackets around an IPv6 address. */
export const nameOf = ({ ip, port }: Address): string => (ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`);

/** The address in `1.2.3.4:6379`, `1.2.3.4`, `[::1]:6379`, `[::1]` or `::1`; `undefined` when it is none of these. */
export function parseAddress(text: string): { ip: string; port?: number } | undefined {
	const [, bracketed, v4, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
	const ip = bracketed ?? v4 ?? text;
	const version = isIP(ip);
	if (version === 0 || (bracketed !== undefined && version !== 6)) return undefined;
	if (digits === undefined) return { ip };
	const port = Number(digits);
	return portSchema.safeParse(port).success ? { ip, port } : undefined;
}

/** Addresses as a person writes them. */
const nodesSchema = z
	.array(z.string().refine((text) => parseAddress(text) !== undefined, "must be an IP address, with or without a port"))
	.min(1);

/** Where the list of addresses comes from. What is declared (static, file) is believed at once; what is found is not. */
export const discoverySourceSchema = z.discriminatedUnion("kind", [
	/** A list that never changes. */
	z.strictObject({ kind: z.literal("static"), nodes: nodesSchema }),
	/** A JSON file with such a list, read again whenever it changes. */
	z.strictObject({ kind: z.literal("file"), path: z.string().min(1) }),
	/** `GET {url}/apps/location/{app}` in Flux's form. */
	z.strictObject({
		kind: z.literal("flux"),
		url: z.url({ protocol: /^https?$/ }).default("https://api.runonflux.io"),
		app: z.string().min(1).max(255),
	}),
]);

export type DiscoverySource = z.output<typeof discoverySourceSchema>;

/** Whether somebody wrote the list down on purpose. */
export const isDeclared = ({ kind }: DiscoverySource): boolean => kind !== "flux";
