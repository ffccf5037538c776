import type { PathNode } from "./jsonPath.ts";
import { ContentProblem } from "./jsonTokens.ts";

interface Container {
	array: boolean;
	/** Absent where no declared path leads. */
	node: PathNode | undefined;
}

type Expected = "value" | "value or ]" | "name" | "name or }" | "colon" | "comma or end" | "no more";

/** What a token is good for: an id to replace, a name on a declared path, or neither. */
export type Use = "id" | "name" | "none";

const DEEPEST = 10_000;
const [LF, COMMA, COLON, OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [10, 44, 58, 91, 93, 123, 125];

/** Where in JSON the reader is, and which declared paths lead there. Throws ContentProblem for what may not stand there. */
export class JsonGrammar {
	line = 1;
	readonly #paths: PathNode;
	readonly #lines: boolean;
	readonly #stack: Container[] = [];
	#expected: Expected = "value";
	/** Of the next value. */
	#node: PathNode | undefined;

	/** `lines`: values on lines of their own, instead of one. */
	constructor(paths: PathNode, lines: boolean) {
		this.#paths = paths;
		this.#lines = lines;
		this.#node = paths;
	}

	get kind(): string | undefined {
		return this.#node?.kind;
	}

	/** Takes a byte between tokens. False: a token begins with it. */
	structure(byte: number): boolean {
		if (byte === 0x20 || byte === 0x09 || byte === 0x0d) return true;
		if (byte === LF) this.#newLine();
		else if (byte === COMMA) this.#comma();
		else if (byte === COLON) this.#colon();
		else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) this.#open(byte === OPEN_ARRAY);
		else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) this.#close(byte === CLOSE_ARRAY);
		else return false;
		return true;
	}

	/** A scalar begins. */
	begin(isString: boolean): Use {
		if (this.#expected === "name" || this.#expected === "name or }") {
			if (!isString) throw this.malformed("a name is missing");
			return this.#stack.at(-1)?.node === undefined ? "none" : "name";
		}
		if (this.#expected !== "value" && this.#expected !== "value or ]") throw this.malformed("a value is one too many");
		return this.kind === undefined ? "none" : "id";
	}

	/** A scalar ended. `text`: the name that it is, where it may matter. */
	ended(text?: string): void {
		if (this.#expected !== "name" && this.#expected !== "name or }") {
			this.#valueEnded();
			return;
		}
		this.#node = text === undefined ? undefined : this.#stack.at(-1)?.node?.members.get(text);
		this.#expected = "colon";
	}

	finish(): void {
		const whole = this.#expected === "no more" || (this.#lines && this.#expected === "value");
		if (this.#stack.length > 0 || !whole) throw this.malformed("it ends too early");
	}

	malformed(why: string): ContentProblem {
		return new ContentProblem("MALFORMED", `line ${this.line} is not JSON: ${why}`);
	}

	#newLine(): void {
		if (this.#lines) {
			if (this.#stack.length > 0) throw this.malformed("its value goes on in the next line");
			this.#expected = "value";
			this.#node = this.#paths;
		}
		this.line += 1;
	}

	#comma(): void {
		const container = this.#stack.at(-1);
		if (this.#expected !== "comma or end" || container === undefined) throw this.malformed("a comma is misplaced");
		this.#expected = container.array ? "value" : "name";
		this.#node = container.array ? container.node?.items : undefined;
	}

	#colon(): void {
		if (this.#expected !== "colon") throw this.malformed("a colon is misplaced");
		this.#expected = "value";
	}

	#open(array: boolean): void {
		if (this.#expected !== "value" && this.#expected !== "value or ]") throw this.malformed("a bracket is misplaced");
		const node = this.#node;
		const leads = node !== undefined && (array ? node.items !== undefined : node.members.size > 0);
		if (node?.kind !== undefined && !leads)
			throw new ContentProblem("NOT_AN_ID", `line ${this.line} has ${array ? "an array" : "an object"} for an id`);
		if (this.#stack.length === DEEPEST) throw new ContentProblem("TOO_DEEP", `line ${this.line} is nested too deep`);
		this.#stack.push({ array, node: leads ? node : undefined });
		this.#expected = array ? "value or ]" : "name or }";
		this.#node = array && leads ? node?.items : undefined;
	}

	#close(array: boolean): void {
		const container = this.#stack.pop();
		const may = this.#expected === "comma or end" || this.#expected === (array ? "value or ]" : "name or }");
		if (container?.array !== array || !may) throw this.malformed("a bracket is misplaced");
		this.#valueEnded();
	}

	#valueEnded(): void {
		this.#expected = this.#stack.length === 0 ? "no more" : "comma or end";
	}
}
