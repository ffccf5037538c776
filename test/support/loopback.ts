/** Addresses that the local platform gives to slots. */
export const loopback = [...Array(10).keys()].map((slot) => `127.0.1.${1 + slot}`);
