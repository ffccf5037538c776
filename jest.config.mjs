// swc compiles to CommonJS for jest only; what ships is run by Node as it stands.
const base = {
	testEnvironment: "node",
	transform: {
		"\\.(ts|mts)$": ["@swc/jest", { jsc: { target: "es2023", parser: { syntax: "typescript" } } }],
		// Published as ES modules only.
		"/node_modules/(@noble|p-limit|yocto-queue)/.+\\.js$": ["@swc/jest", { jsc: { target: "es2023" } }],
	},
	transformIgnorePatterns: ["/node_modules/(?!(@noble|p-limit|yocto-queue)/)"],
	extensionsToTreatAsEsm: [],
	moduleNameMapper: { "^#runtime$": "<rootDir>/runtime/index.ts" },
	modulePathIgnorePatterns: ["<rootDir>/.holdfast"],
};
export default {
	// Many run beside one another: what is slow there is not wrong. A test that waits for something names its own limit.
	testTimeout: 120_000,
	coverageProvider: "v8",
	projects: [
		{ ...base, displayName: "unit", testMatch: ["<rootDir>/test/unit/**/*.test.ts"] },
		{ ...base, displayName: "components", testMatch: ["<rootDir>/test/components/**/*.test.ts"] },
		{ ...base, displayName: "integration", testMatch: ["<rootDir>/test/integration/**/*.test.ts"] },
		{ ...base, displayName: "faults", testMatch: ["<rootDir>/test/faults/**/*.test.ts"] },
	],
};
