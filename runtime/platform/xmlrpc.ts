import { XMLParser } from "fast-xml-parser";

/** What supervisord's methods take and give. */
export type XmlValue = string | number | boolean | null | XmlValue[] | { [name: string]: XmlValue };

/** A refused call; `code` is one of supervisord's fault numbers. */
export class XmlFault extends Error {
	readonly code: number;
	constructor(code: number, text: string) {
		super(text);
		this.name = "XmlFault";
		this.code = code;
	}
}

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };
const escapeText = (text: string): string => text.replace(/[&<>]/g, (sign) => entities[sign]!);

export function encodeCall(method: string, args: readonly (string | boolean | number)[]): string {
	const params = args.map((arg) => `<param><value>${encodeScalar(arg)}</value></param>`).join("");
	return `<?xml version="1.0"?><methodCall><methodName>${method}</methodName><params>${params}</params></methodCall>`;
}

function encodeScalar(arg: string | boolean | number): string {
	if (typeof arg === "boolean") return `<boolean>${arg ? 1 : 0}</boolean>`;
	if (typeof arg === "number") return `<int>${arg}</int>`;
	return `<string>${escapeText(arg)}</string>`;
}

const parser = new XMLParser({
	ignoreAttributes: true,
	parseTagValue: false,
	trimValues: false,
	isArray: (name, path) => name === "member" || (name === "value" && String(path).endsWith("data.value")),
});
type Node = Record<string, unknown> | string | undefined;

/** The result of a call; throws XmlFault, or an Error when the text is no XML-RPC answer. */
export function parseAnswer(text: string): XmlValue {
	const answer = (parser.parse(text) as { methodResponse?: Record<string, Record<string, Node>> }).methodResponse;
	if (answer?.fault) {
		const fault = decode(answer.fault.value) as { faultCode: number; faultString: string };
		throw new XmlFault(fault.faultCode, fault.faultString);
	}
	const param = answer?.params?.param as Record<string, Node> | undefined;
	if (!param) throw new Error("supervisord's answer is not XML-RPC");
	return decode(param.value);
}

function decode(value: Node): XmlValue {
	if (typeof value !== "object") return value ?? "";
	const type = Object.keys(value).find((key) => key !== "#text");
	if (type === undefined) return String(value["#text"] ?? "");
	const content = value[type];
	switch (type) {
		case "int":
		case "i4":
			return Number(content);
		case "boolean":
			return String(content).trim() === "1";
		case "nil":
			return null;
		case "array":
			return items(content).map(decode);
		case "struct":
			return Object.fromEntries(members(content).map(({ name, value: inner }) => [String(name), decode(inner)]));
		default:
			return String(content ?? "");
	}
}

const items = (array: unknown): Node[] => ((array as { data?: { value?: Node[] } }).data?.value ?? []) as Node[];
const members = (struct: unknown): { name: unknown; value: Node }[] =>
	((struct as { member?: { name: unknown; value: Node }[] }).member ?? []) as { name: unknown; value: Node }[];
