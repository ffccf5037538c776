import { stringify } from "yaml";

/**
 * YAML that every reader takes for the same text: Patroni's is YAML 1.1, where a plain `on`, `1_000` or `12:30` is no
 * text, and it decodes files by its locale. So all text is in double quotes, and all of it ASCII.
 */
export function yamlText(value: object): string {
	const text = stringify(value, {
		version: "1.1",
		lineWidth: 0,
		defaultStringType: "QUOTE_DOUBLE",
		defaultKeyType: "PLAIN",
		aliasDuplicateObjects: false,
	});
	return text.replace(/[^\n\x20-\x7e]/gu, escapeSign);
}

function escapeSign(sign: string): string {
	const code = sign.codePointAt(0)!.toString(16);
	return code.length > 4 ? `\\U${code.padStart(8, "0")}` : `\\u${code.padStart(4, "0")}`;
}
