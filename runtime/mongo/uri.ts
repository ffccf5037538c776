import { z } from "zod";

const milliseconds = z.number().int().min(0).max(2_147_483_647);

export const uriOptionsSchema = z.strictObject({
	/** Milliseconds to open a connection to one member. @default 5000 */
	connectTimeoutMS: milliseconds.default(5000),
	/** Milliseconds without an answer after which a connection is given up; 0 waits for ever, also for a member that hangs. @default 30000 */
	socketTimeoutMS: milliseconds.default(30_000),
	/** Milliseconds to find a member that can serve an operation: must outlast an election. @default 30000 */
	serverSelectionTimeoutMS: milliseconds.default(30_000),
	/** Which members serve reads. @default "primary" */
	readPreference: z
		.enum(["primary", "primaryPreferred", "secondary", "secondaryPreferred", "nearest"])
		.default("primary"),
	/** Write concern of the connection. @default "majority" */
	w: z.union([z.literal("majority"), z.number().int().min(1).max(50)]).default("majority"),
	/** Whether the driver repeats a write once after a failover. @default true */
	retryWrites: z.boolean().default(true),
	/** Whether the driver repeats a read once after a failover. @default true */
	retryReads: z.boolean().default(true),
});
export type UriOptions = z.input<typeof uriOptionsSchema>;

export interface UriParts {
	/** `host:port`, IPv6 addresses in brackets. */
	hosts: readonly string[];
	replicaSet: string;
	user: string;
	password: string;
	/** Database that holds the user. */
	authSource: string;
	/** Database that drivers open by default. @default none */
	database?: string;
	/** Whether clients must speak TLS. Which CA they trust is a file of theirs: drivers take it as `tlsCAFile`. @default false */
	tls?: boolean;
	options?: UriOptions;
}

/** RFC 3986 with nothing but unreserved characters left: safe in every driver, in quotes and in YAML. */
const encode = (text: string): string =>
	encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

/** Connection string of a whole set: it goes on working when the primary changes. Holds the password. */
export function mongoUri({
	hosts,
	replicaSet,
	user,
	password,
	authSource,
	database = "",
	tls = false,
	options = {},
}: UriParts): string {
	const secure = tls ? { tls } : {};
	const query = Object.entries({ replicaSet, authSource, ...secure, ...uriOptionsSchema.parse(options) });
	const text = query.map(([key, value]) => `${key}=${encode(String(value))}`).join("&");
	return `mongodb://${encode(user)}:${encode(password)}@${hosts.join(",")}/${encode(database)}?${text}`;
}
