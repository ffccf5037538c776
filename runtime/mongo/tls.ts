import { HoldfastError } from "../errors.ts";
import type { ReplicaSetInputs } from "./model.ts";

/** What a member's process may run with. */
export interface TlsState {
	mode: "off" | "allow" | "prefer" | "require";
	/** The CA that signed its certificate; 0 with `off`. */
	generation: number;
	/** The CAs it trusts. */
	trusted: number[];
}

/** What the record says of TLS; absent where no member speaks it. */
export interface TlsRecord {
	/** Newest first; more than one until every process runs the newest. */
	states: TlsState[];
	/** Trusted CAs, PEM. */
	ca: string;
}

type Wanted = ReplicaSetInputs["tls"];

const MODES: readonly TlsState["mode"][] = ["off", "allow", "prefer", "require"];
const OFF: TlsState = { mode: "off", generation: 0, trusted: [] };
const rank = ({ mode }: TlsState): number => MODES.indexOf(mode);

/**
 * What is to be recorded while `wanted` is rolled out on members that run what `known` says: they must understand each
 * other meanwhile. `known` is absent for a set that does not exist yet, which may begin with any mode. HF_SETTING for a jump.
 */
export function turnTls(name: string, known: { tls?: TlsRecord } | undefined, wanted: Wanted): TlsRecord | undefined {
	const now = wanted ? { mode: wanted.mode, generation: wanted.generation, trusted: wanted.trusted } : OFF;
	const former = known ? (known.tls?.states ?? [OFF]) : [];
	for (const state of former) refuseJump(name, state, now);
	const states = [now, ...former.filter((state) => !isSame(state, now))];
	return recorded({ states, ca: wanted?.ca ?? known?.tls?.ca ?? "" });
}

/** What is recorded once every process runs the newest. */
export const settledTls = (record?: TlsRecord): TlsRecord | undefined =>
	record && recorded({ ...record, states: record.states.slice(0, 1) });

const recorded = (record: TlsRecord): TlsRecord | undefined =>
	record.states.every(({ mode }) => mode === "off") ? undefined : record;

function refuseJump(name: string, from: TlsState, to: TlsState): void {
	if (Math.abs(rank(to) - rank(from)) > 1) {
		const next = MODES[rank(from) + Math.sign(rank(to) - rank(from))]!;
		throw new HoldfastError("HF_SETTING", `tls.mode of ${name} cannot go from ${from.mode} to ${to.mode} at once`, {
			next: `set it to ${next} (off is no tls at all), run holdfast up, and go on from there`,
		});
	}
	if (from.mode === "off" || to.mode === "off") return;
	if (from.trusted.includes(to.generation) && to.trusted.includes(from.generation)) return;
	throw new HoldfastError(
		"HF_SETTING",
		`members of ${name} that trust ${from.trusted.join(", ")} and show ${from.generation} do not get on with tls.generation ${to.generation} and tls.trusted ${to.trusted.join(", ")}`,
		{ next: `set tls.trusted to both generations and tls.generation to ${from.generation}, and run holdfast up first` },
	);
}

const isSame = (a: TlsState, b: TlsState): boolean =>
	a.mode === b.mode && a.generation === b.generation && `${a.trusted}` === `${b.trusted}`;

/** How every member can be reached for sure: with TLS when all accept it, and without while one may not. */
export const tlsOptions = (record?: TlsRecord): { tls?: true; ca?: string } =>
	record?.states.every(({ mode }) => mode !== "off") ? { tls: true, ca: record.ca } : {};
