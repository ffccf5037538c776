import { type Address, hostport } from "../platform/model.ts";

/** The list of declared nodes as a manager reads it, in slot order. */
export const nodesJson = (nodes: readonly { address: Address }[]): string =>
	`${JSON.stringify(nodes.map(({ address }) => hostport(address)))}\n`;
