import { type DesiredOutside, type FoundDatabase, planOutside } from "../../../runtime/postgres/databases.ts";
import { type FoundInside, planInside } from "../../../runtime/postgres/databasesInside.ts";
import { marked, type Statement } from "../../../runtime/postgres/objectLedger.ts";

const ledger = "local/pg0/database/shop";
const desired: DesiredOutside = {
	...{ database: "shop", connectionLimit: -1, allowConnections: true, settings: {}, adopt: false },
	...{ ledger, version: 180_000, draft: "holdfast draft 1", known: false },
};
const found: FoundDatabase = {
	...{ owner: "postgres", connectionLimit: -1, allowConnections: true, settings: {} },
	comment: marked(null, ledger),
};
const texts = (statements: readonly Statement[]) => statements.map(({ sql }) => sql);
const plan = (before: Parameters<typeof planOutside>[0], wanted: Partial<DesiredOutside> = {}) => {
	const planned = planOutside(before, { ...desired, ...wanted });
	if (planned.kind === "refuse") return planned;
	return { alone: texts(planned.alone), together: texts(planned.together), closing: texts(planned.closing) };
};
const NOTHING = { alone: [], together: [], closing: [] };

describe("a database", () => {
	const born = [
		'ALTER DATABASE "holdfast draft 1" RENAME TO "shop"',
		`COMMENT ON DATABASE "shop" IS '[holdfast ${ledger}]'`,
		'ALTER DATABASE "shop" ALLOW_CONNECTIONS true',
	];

	test("is made as a draft that nobody can enter, and gets name and ledger entry in one transaction", () => {
		expect(plan({ draft: false })).toEqual({
			alone: [
				`CREATE DATABASE "holdfast draft 1" TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LC_COLLATE 'C' LC_CTYPE 'C' ALLOW_CONNECTIONS false`,
			],
			together: born,
			closing: [],
		});
		expect(plan({ draft: false }, { version: 169_999 })).toMatchObject({
			alone: [expect.stringContaining("LOCALE_PROVIDER libc LC_COLLATE 'C'")],
		});
	});

	test("is made of the draft that an interrupted run left", () => {
		expect(plan({ draft: true })).toEqual({ ...NOTHING, together: born });
	});

	test("that is as declared needs nothing; of a changed one only what differs is changed", () => {
		expect(plan({ database: found, draft: false })).toEqual(NOTHING);
		expect(
			plan({ database: found, draft: false }, { owner: "app", connectionLimit: 5, settings: { jit: "off" } }),
		).toEqual({
			...NOTHING,
			together: [
				'ALTER DATABASE "shop" OWNER TO "app"',
				'ALTER DATABASE "shop" CONNECTION LIMIT 5',
				`ALTER DATABASE "shop" SET "jit" TO 'off'`,
			],
		});
	});

	test("is closed last and opened first, so that its inside can be reached", () => {
		const closed = { ...found, allowConnections: false };
		const close = ['ALTER DATABASE "shop" ALLOW_CONNECTIONS false'];
		expect(plan({ database: found, draft: false }, { allowConnections: false })).toEqual({
			...NOTHING,
			closing: close,
		});
		expect(plan({ database: closed, draft: false }, { allowConnections: false })).toEqual(NOTHING);
		expect(plan({ database: closed, draft: false })).toEqual({ ...NOTHING, together: [born[2]] });
		expect(plan({ draft: false }, { allowConnections: false })).toMatchObject({ together: born, closing: close });
	});

	test("of somebody else is refused, or adopted with its comment kept, and an own draft gives way to it", () => {
		const theirs = { ...found, comment: "of Bo" };
		expect(plan({ database: theirs, draft: true })).toMatchObject({ code: "HF_FOREIGN" });
		expect(plan({ database: theirs, draft: true }, { adopt: true })).toEqual({
			...NOTHING,
			alone: ['DROP DATABASE "holdfast draft 1"'],
			together: [`COMMENT ON DATABASE "shop" IS 'of Bo\n[holdfast ${ledger}]'`],
		});
	});

	test("that the state knows is never made anew", () => {
		for (const draft of [true, false]) expect(plan({ draft }, { known: true })).toMatchObject({ code: "HF_DATA_LOST" });
		expect(plan({ database: found, draft: false }, { known: true })).toEqual(NOTHING);
	});
});

describe("what is inside", () => {
	const inside: FoundInside = {
		extensions: { plpgsql: { version: "1.0", schema: "pg_catalog", comment: null } },
		schemas: { public: { owner: "pg_database_owner", comment: null } },
		available: {
			plpgsql: { versions: ["1.0"], comment: null },
			hstore: { versions: ["1.7", "1.8"], comment: "maps" },
		},
	};
	const wanted = { database: "shop", ledger, extensions: {}, schemas: {} };
	const sqls = (before: Partial<FoundInside>, more: Partial<typeof wanted>) => {
		const planned = planInside({ ...inside, ...before }, { ...wanted, ...more });
		return Array.isArray(planned) ? texts(planned) : planned;
	};

	test("schemas are made before the extensions that go into them, both with a ledger entry", () => {
		expect(
			sqls({}, {
				schemas: { constructor: { owner: "app" } },
				extensions: { hstore: { schema: "constructor", version: "1.7" } },
			} as object),
		).toEqual([
			'CREATE SCHEMA "constructor" AUTHORIZATION "app"',
			`COMMENT ON SCHEMA "constructor" IS '[holdfast ${ledger}]'`,
			"SET LOCAL search_path TO public",
			'CREATE EXTENSION "hstore" SCHEMA "constructor" VERSION "1.7"',
			"SET LOCAL search_path TO ''",
			`COMMENT ON EXTENSION "hstore" IS 'maps\n[holdfast ${ledger}]'`,
		]);
	});

	test("what is there is changed where it differs, and only if that was declared", () => {
		const hstore = { version: "1.7", schema: "public", comment: null };
		const before = { extensions: { hstore } };
		expect(sqls(before, { extensions: { hstore: {} }, schemas: { public: {} } })).toEqual([]);
		expect(
			sqls(before, {
				extensions: { hstore: { version: "1.8", schema: "x" } },
				schemas: { public: { owner: "app" } },
			} as object),
		).toEqual([
			'ALTER SCHEMA "public" OWNER TO "app"',
			'ALTER EXTENSION "hstore" UPDATE TO "1.8"',
			'ALTER EXTENSION "hstore" SET SCHEMA "x"',
		]);
	});

	test("only what we made is dropped, extensions before schemas, never with what depends on them", () => {
		const ours = marked("maps", ledger);
		const before = {
			extensions: { ...inside.extensions, hstore: { version: "1.8", schema: "a", comment: ours } },
			schemas: {
				...inside.schemas,
				a: { owner: "x", comment: ours },
				b: { owner: "x", comment: marked(null, "other") },
			},
		};
		expect(sqls(before, {})).toEqual(['DROP EXTENSION "hstore" RESTRICT', 'DROP SCHEMA "a" RESTRICT']);
	});

	test("extensions and versions that the server has not are refused", () => {
		expect(sqls({}, { extensions: { toString: {} } })).toMatchObject({
			code: "HF_SETTING",
			why: expect.stringContaining("extension toString"),
		});
		expect(sqls({}, { extensions: { hstore: { version: "2" } } })).toMatchObject({
			code: "HF_SETTING",
			next: "use one of 1.7, 1.8",
		});
		const kept = { hstore: { version: "1.4", schema: "public", comment: null } };
		expect(sqls({ extensions: kept }, { extensions: { hstore: { version: "1.4" } } })).toEqual([]);
	});
});
