import { type Address, hostport } from "../platform/model.ts";

/** An address that stands for all of a machine's, and the one by which it is reached from there. */
const ANYWHERE: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

/** Base URL of a manager, without a slash at its end. */
export const managerUrl = ({ host, port }: Address): string =>
	`http://${hostport({ host: ANYWHERE[host] ?? host, port })}`;
