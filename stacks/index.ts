import { readSettings } from "./settings.ts";

/** Picks the program by configuration, never by the stack's name: people have two stacks of one kind. */
export default async function program(): Promise<object> {
	const settings = readSettings();
	switch (settings.program) {
		case "local":
			return (await import("./local.ts")).local(settings);
	}
}
