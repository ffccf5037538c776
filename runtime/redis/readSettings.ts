import { z } from "zod";
import { parseAddress } from "../discovery/source.ts";
import { HoldfastError } from "../errors.ts";
import { type Setting, type SettingName, settings, type Values } from "./settings.ts";

/** Where a secret's text comes from. */
export type SecretText = { text: string } | { path: string };

/** All that a manager process is told. */
export interface Settings {
	values: Values;
	apiKey: SecretText;
	redisPassword?: SecretText;
}

type Given = Readonly<Record<string, unknown>>;

/** What one setting was given: its text, or the file that holds it. */
interface Found {
	/** As the operator wrote it. */
	name: string;
	raw?: unknown;
	path?: string;
}

const SUFFIX = "_FILE";
const names = Object.keys(settings) as SettingName[];
/** `REDIS_NODES_FILE` and `LOG_FILE` are settings of their own. */
const fileNames = new Map(names.filter((name) => !(name + SUFFIX in settings)).map((name) => [name + SUFFIX, name]));

const refuse = (message: string, next?: string): HoldfastError => new HoldfastError("HF_SETTING", message, { next });

/**
 * Settings from the environment and, for what it does not say, from the file of `--config`. `read` brings the text of a
 * file. Throws HF_SETTING, naming the setting, never what it was given.
 */
export function readSettings(environment: Given, config: Given, read: (path: string) => string): Settings {
	for (const name of Object.keys(config))
		if (!(name in settings) && !fileNames.has(name))
			throw refuse(`${name} is no setting`, "see docs/redis-api.md for those there are");
	const found = new Map<SettingName, Found>();
	for (const name of names) {
		const one = look(name, environment) ?? look(name, config);
		if (one !== undefined) found.set(name, one);
	}
	checkSources(found);
	const values: Record<string, unknown> = {};
	for (const name of names) if (!isSecret(name)) values[name] = settled(name, found.get(name), read);
	for (const name of names) values[name] ??= (settings[name] as Setting).otherwise?.(values as Values);
	const all = { values: values as Values, ...secrets(found, read) };
	checkTogether(all);
	return all;
}

const isSecret = (name: SettingName): boolean => (settings[name] as Setting).secret === true;

/** An empty variable is as good as none: that is how composed environments leave one out. */
function look(name: SettingName, source: Given): Found | undefined {
	const file = name + SUFFIX;
	const raw = source[name] === "" ? undefined : source[name];
	const path = !fileNames.has(file) || source[file] === "" ? undefined : source[file];
	if (raw !== undefined && path !== undefined) throw refuse(`${name} and ${file} are both given`, "give one of them");
	if (path !== undefined) {
		if (typeof path !== "string") throw refuse(`${file} must be the path of a file`);
		return { name: file, path };
	}
	return raw === undefined ? undefined : { name, raw };
}

function textOf({ name, path }: { name: string; path: string }, read: (path: string) => string): string {
	let text: string;
	try {
		text = read(path).trim();
	} catch (error) {
		throw refuse(`${name}: ${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"})`);
	}
	if (text === "") throw refuse(`${name}: ${path} is empty`);
	return text;
}

function settled(name: SettingName, found: Found | undefined, read: (path: string) => string): unknown {
	const setting: Setting = settings[name];
	if (found === undefined) return setting.default;
	const { path } = found;
	const raw = path === undefined ? found.raw : textOf({ name: found.name, path }, read);
	if (typeof raw !== "string" && typeof raw !== "number") throw refuse(`${found.name} must be a text or a number`);
	const parsed = setting.schema.safeParse(raw);
	if (!parsed.success) throw refuse(`${found.name}: ${said(parsed.error)}`);
	return parsed.data;
}

const said = ({ issues }: z.ZodError): string => issues.map(({ message }) => message).join("; ");

function secrets(found: Map<SettingName, Found>, read: (path: string) => string): Omit<Settings, "values"> {
	const secretOf = (name: SettingName, check: (text: string) => unknown): SecretText | undefined => {
		const one = found.get(name);
		if (one === undefined) return undefined;
		if (one.path !== undefined) {
			check(textOf({ name: one.name, path: one.path }, read));
			return { path: one.path };
		}
		if (typeof one.raw !== "string") throw refuse(`${one.name} must be a text`);
		check(one.raw);
		return { text: one.raw };
	};
	const apiKey = secretOf("API_KEY", keysOf);
	if (apiKey === undefined) throw refuse("API_KEY is missing", "give clients a key, by API_KEY or API_KEY_FILE");
	const redisPassword = secretOf("REDIS_PASSWORD", String);
	return { apiKey, ...(redisPassword && { redisPassword }) };
}

const keySchema = z.string().regex(/^[\x21-\x2b\x2d-\x7e]{8,200}$/);

/** API keys in a text, separated by commas or line ends. Throws HF_SETTING without quoting any. */
export function keysOf(text: string): string[] {
	const keys = text.split(/[,\s]+/).filter((key) => key !== "");
	if (keys.length === 0) throw refuse("API_KEY holds no key");
	if (keys.length > 16)
		throw refuse(`API_KEY holds ${keys.length} keys, and 16 is the most`, "remove those that are no longer used");
	const wrong = keys.findIndex((key) => !keySchema.safeParse(key).success);
	if (wrong >= 0) throw refuse(`key ${wrong + 1} of API_KEY must have 8 to 200 printable ASCII characters`);
	return keys;
}

/** Settings that exclude each other, whatever they hold. */
function checkSources(found: Map<SettingName, Found>): void {
	const declared = (["REDIS_NODES", "REDIS_NODES_FILE"] as const).filter((name) => found.has(name));
	if (declared.length === 2) throw refuse("REDIS_NODES and REDIS_NODES_FILE are both given", "give one of them");
	const [list] = declared;
	if (list !== undefined && found.has("DISCOVERY_URL"))
		throw refuse(`${list} and DISCOVERY_URL both say which nodes there are`, "give one of them");
	if (list === undefined && !found.has("APP_NAME"))
		throw refuse("nothing says which nodes there are", "give REDIS_NODES, REDIS_NODES_FILE, or APP_NAME for discovery");
	if (found.has("REDIS_USERNAME") && !found.has("REDIS_PASSWORD"))
		throw refuse("REDIS_USERNAME is given without REDIS_PASSWORD", "give its password, or neither");
}

/** Settings that contradict each other by what they hold. */
function checkTogether({ values }: Settings): void {
	for (const node of values.REDIS_NODES ?? [])
		if (parseAddress(node) === undefined)
			throw refuse("REDIS_NODES: each node must be an IP address, with or without a port");
	const { ROUND_SECONDS: round, TOMBSTONE_GRACE_SECONDS: grace } = values;
	if (2 * round > grace)
		throw refuse(
			`ROUND_SECONDS is ${round}, more than half of TOMBSTONE_GRACE_SECONDS, ${grace}: deletions would be forgotten before all nodes have them`,
			"lower ROUND_SECONDS",
		);
	atMost(values, "HEADERS_TIMEOUT_MS", "REQUEST_TIMEOUT_MS");
	atMost(values, "MAX_VALUE_BYTES", "MAX_BATCH_BYTES");
	atMost(values, "MAX_BATCH_BYTES", "MAX_PENDING_BYTES");
	if (2 * values.MAX_VALUE_BYTES + 16_384 > values.MAX_PENDING_BYTES)
		throw refuse("MAX_PENDING_BYTES must be at least twice MAX_VALUE_BYTES and 16 KiB");
	if (values.DRAIN_SECONDS * 1000 < values.WRITE_TIMEOUT_MS)
		throw refuse(
			`DRAIN_SECONDS is ${values.DRAIN_SECONDS}, less than WRITE_TIMEOUT_MS: writes under way would be cut off`,
			"raise DRAIN_SECONDS",
		);
}

function atMost(
	values: Values,
	lesser: "HEADERS_TIMEOUT_MS" | "MAX_VALUE_BYTES" | "MAX_BATCH_BYTES",
	greater: "REQUEST_TIMEOUT_MS" | "MAX_BATCH_BYTES" | "MAX_PENDING_BYTES",
): void {
	if (values[lesser] > values[greater])
		throw refuse(
			`${lesser} is ${values[lesser]}, more than ${greater}, ${values[greater]}`,
			`lower ${lesser}, or raise ${greater}`,
		);
}
