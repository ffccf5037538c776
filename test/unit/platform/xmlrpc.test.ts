import { encodeCall, parseAnswer, XmlFault } from "../../../runtime/platform/xmlrpc.ts";

const answer = (value: string) =>
	`<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value>${value}</value>\n</param>\n</params>\n</methodResponse>\n`;

test("a call escapes its arguments", () => {
	expect(encodeCall("supervisor.startProcess", ["a<b>&c", false])).toBe(
		'<?xml version="1.0"?><methodCall><methodName>supervisor.startProcess</methodName><params>' +
			"<param><value><string>a&lt;b&gt;&amp;c</string></value></param><param><value><boolean>0</boolean></value></param>" +
			"</params></methodCall>",
	);
});

test.each([
	["<int>7</int>", 7],
	["<boolean>1</boolean>", true],
	["<boolean>0</boolean>", false],
	["<string>a &lt; b &amp; c</string>", "a < b & c"],
	["<string></string>", ""],
	["<string>  12 </string>", "  12 "],
	["bare", "bare"],
	["<nil/>", null],
	["<array><data>\n</data></array>", []],
	["<array><data>\n<value><int>1</int></value>\n</data></array>", [1]],
	["<struct>\n</struct>", {}],
])("%s", (xml, value) => {
	expect(parseAnswer(answer(xml))).toEqual(value);
});

test("reloadConfig's nested arrays keep their shape, empty and single", () => {
	const list = (...names: string[]) =>
		`<value><array><data>\n${names.map((name) => `<value><string>${name}</string></value>\n`).join("")}</data></array></value>`;
	const xml = `<array><data>\n<value><array><data>\n${list("m-0")}${list()}${list("a", "b")}</data></array></value>\n</data></array>`;
	expect(parseAnswer(answer(xml))).toEqual([[["m-0"], [], ["a", "b"]]]);
});

test("a list of structs, with one member and with many", () => {
	const struct = (members: string) => `<value><struct>\n${members}</struct></value>\n`;
	const member = (name: string, value: string) =>
		`<member>\n<name>${name}</name>\n<value>${value}</value>\n</member>\n`;
	const one = struct(member("pid", "<int>3</int>"));
	const two = struct(member("statename", "<string>RUNNING</string>") + member("spawnerr", "<string></string>"));
	expect(parseAnswer(answer(`<array><data>\n${one}${two}</data></array>`))).toEqual([
		{ pid: 3 },
		{ statename: "RUNNING", spawnerr: "" },
	]);
});

test("a fault is an error with its number", () => {
	const fault = `<?xml version='1.0'?>\n<methodResponse>\n<fault>\n<value><struct>\n<member>\n<name>faultCode</name>\n<value><int>10</int></value>\n</member>\n<member>\n<name>faultString</name>\n<value><string>BAD_NAME: x</string></value>\n</member>\n</struct></value>\n</fault>\n</methodResponse>\n`;
	expect(() => parseAnswer(fault)).toThrow(XmlFault);
	try {
		parseAnswer(fault);
	} catch (error) {
		expect(error).toMatchObject({ code: 10, message: "BAD_NAME: x" });
	}
});

test("what is no answer is refused", () => {
	expect(() => parseAnswer("<html>502</html>")).toThrow("not XML-RPC");
	expect(() => parseAnswer("")).toThrow("not XML-RPC");
});
