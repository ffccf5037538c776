import { quoteLiteral, quoteSetting, splitIdentifiers } from "./identifiers.ts";
import type { Statement } from "./objectLedger.ts";

/** Settings whose value is a list of names, each quoted by itself. */
const LISTS = new Set(["search_path", "temp_tablespaces", "local_preload_libraries", "session_preload_libraries"]);

type Settings = Readonly<Record<string, string>>;

const sameValue = (name: string, a: string, b: string): boolean =>
	LISTS.has(name.toLowerCase()) ? JSON.stringify(splitIdentifiers(a)) === JSON.stringify(splitIdentifiers(b)) : a === b;

const byName = (settings: Settings): Map<string, string> =>
	new Map(Object.entries(settings).map(([name, value]) => [name.toLowerCase(), value]));

/** Whether both mean the same: names in any case, lists however quoted. */
export function sameSettings(a: Settings, b: Settings): boolean {
	const [left, right] = [byName(a), byName(b)];
	if (left.size !== right.size) return false;
	return [...left].every(([name, value]) => right.has(name) && sameValue(name, value, right.get(name)!));
}

function settingText(name: string, value: string): string {
	if (!LISTS.has(name.toLowerCase())) return quoteLiteral(value);
	const names = splitIdentifiers(value);
	return names.length === 0 ? "''" : names.map(quoteLiteral).join(", ");
}

/** What makes the settings of `object` (e.g. `ROLE "app"`) exactly as declared. */
export function planSettings(object: string, found: Settings, desired: Settings): Statement[] {
	const [present, wanted] = [byName(found), byName(desired)];
	const reset = Object.keys(found).filter((name) => !wanted.has(name.toLowerCase()));
	const set = Object.entries(desired).filter(([name, value]) => {
		const now = present.get(name.toLowerCase());
		return now === undefined || !sameValue(name, now, value);
	});
	return [
		...reset.map((name) => ({ what: `reset ${name}`, sql: `ALTER ${object} RESET ${quoteSetting(name)}` })),
		...set.map(([name, value]) => ({
			what: `set ${name}`,
			sql: `ALTER ${object} SET ${quoteSetting(name)} TO ${settingText(name, value)}`,
		})),
	];
}
