import { GoogleAuth } from "google-auth-library";
import { HoldfastError } from "../errors.ts";

export type Headers = Record<string, string>;

const SCOPES = ["https://www.googleapis.com/auth/devstorage.read_write"];

/** Headers that prove who calls, by application default credentials; refreshed as they grow old. HF_CREDENTIALS. */
export function applicationDefault(): () => Promise<Headers> {
	const auth = new GoogleAuth({ scopes: SCOPES });
	return async () => {
		try {
			return Object.fromEntries(await auth.getRequestHeaders());
		} catch (cause) {
			throw new HoldfastError("HF_CREDENTIALS", "there are no credentials for Cloud Storage here", {
				next: "run gcloud auth application-default login, or give the workload a service account",
				cause,
			});
		}
	};
}

/** An emulator asks for none, and must not be told any. */
export const none = async (): Promise<Headers> => ({});
