export type { KindName } from "./kinds.ts";
export { serve, type Verb } from "./lifecycle.ts";
