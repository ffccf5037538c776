import protos from "@google-cloud/datastore-api/build/protos/protos.json" with { type: "json" };
import { GrpcClient, grpc } from "google-gax";

type Verb = "runQuery" | "runAggregationQuery" | "lookup";
/** What a verb answers, as plain messages; `number` counts its calls from 1. `undefined`: no answer at all; what is thrown is the call's failure. */
// biome-ignore lint/suspicious/noExplicitAny: requests are read by tests that know what they hold
export type Answers = Partial<Record<Verb, (request: any, number: number) => object | undefined>>;

/** A failure as grpc tells it. */
export const status = (name: keyof typeof grpc.status, details: string = name): Error =>
	Object.assign(new Error(details), { code: grpc.status[name], details });

/** A server that speaks Datastore's protocol, on loopback, and answers what it is told to: what emulators do not do. */
export class DatastoreServer {
	readonly address: string;
	// biome-ignore lint/suspicious/noExplicitAny: as above
	readonly requests: Record<Verb, any[]> = { runQuery: [], runAggregationQuery: [], lookup: [] };
	readonly #server: grpc.Server;

	private constructor(server: grpc.Server, port: number) {
		this.#server = server;
		this.address = `127.0.0.1:${port}`;
	}

	static async start(answers: Answers): Promise<DatastoreServer> {
		const server = new grpc.Server();
		const port = await new Promise<number>((resolve, reject) => {
			server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
				error ? reject(error) : resolve(bound),
			);
		});
		const started = new DatastoreServer(server, port);
		started.#serve(answers);
		return started;
	}

	#serve(answers: Answers): void {
		// biome-ignore lint/suspicious/noExplicitAny: a tree of services that is made at run time
		const { service } = (new GrpcClient().loadProtoJSON(protos) as any).google.datastore.v1.Datastore;
		const verb = (name: Verb) => (call: { request: object }, reply: (error: Error | null, answer?: object) => void) => {
			this.requests[name].push(call.request);
			try {
				const answer = answers[name];
				if (!answer) throw status("UNIMPLEMENTED");
				const told = answer(call.request, this.requests[name].length);
				if (told) reply(null, told);
			} catch (error) {
				reply(error as Error);
			}
		};
		this.#server.addService(service, {
			runQuery: verb("runQuery"),
			runAggregationQuery: verb("runAggregationQuery"),
			lookup: verb("lookup"),
		} as unknown as grpc.UntypedServiceImplementation);
	}

	stop(): void {
		this.#server.forceShutdown();
	}
}
