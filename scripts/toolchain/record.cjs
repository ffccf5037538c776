// The record of tools: which file set-up writes last and looks at first. CommonJS for scripts/bootstrap.mjs.
const { createHash, randomUUID } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");

function filesUnder(folder) {
	return fs
		.readdirSync(folder, { withFileTypes: true })
		.flatMap((entry) => {
			const name = path.join(folder, entry.name);
			return entry.isDirectory() ? filesUnder(name) : [name];
		})
		.sort();
}

/** Hash of everything that decides which programs are wanted: the manifests, the catalogue, the platform. */
function lockOf(root) {
	const hash = createHash("sha256").update(`${process.platform}-${process.arch}`);
	for (const file of [...filesUnder(path.join(root, "tools")), path.join(root, "scripts/toolchain/catalogue.ts")]) {
		hash.update(`\0${path.relative(root, file)}\0`).update(fs.readFileSync(file));
	}
	return hash.digest("hex");
}

function executable(file) {
	try {
		fs.accessSync(file, fs.constants.X_OK);
		return fs.statSync(file).isFile();
	} catch {
		return false;
	}
}

/** The record under `home`, `undefined` when there is none or it cannot be read. */
function readRecord(home) {
	try {
		return JSON.parse(fs.readFileSync(path.join(home, "tools.json"), "utf8"));
	} catch {
		return undefined;
	}
}

function isCurrent(record, lock) {
	if (record?.lock !== lock) return false;
	return Object.values(record.tools).every(({ path, needs = [] }) => [path, ...needs].every(executable));
}

function writeRecord(home, record) {
	fs.mkdirSync(home, { recursive: true, mode: 0o700 });
	const draft = path.join(home, `tools.json.${randomUUID()}`);
	fs.writeFileSync(draft, `${JSON.stringify(record, undefined, "\t")}\n`, { mode: 0o600 });
	fs.renameSync(draft, path.join(home, "tools.json"));
}

module.exports = { executable, isCurrent, lockOf, readRecord, writeRecord };
