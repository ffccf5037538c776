import { createHash } from "node:crypto";

/** A Lua script that a node runs, by the name under which its cache knows it. */
export interface Script {
	readonly lua: string;
	/** Hex SHA-1 of the text. */
	readonly sha: string;
}

/** Keys of records, and those of the manager's own data, on every node. */
export const recordPrefix = "d:";
export const markKey = "m:mark";
export const lockKey = "m:lock";

/** Lua patterns know no counts. */
const headerSyntax = `^${"[0-9a-f]".repeat(32)}[012d]${"[0-9a-f]".repeat(20)}`;

/**
 * What the scripts share. `valid`: begins with a header of strict syntax; a string that does not is none of ours, and gives way.
 * `put` sets a record with its physical expiry, see record.ts. Numbers of 48 bits are exact in Lua's doubles. Arguments
 * of commands are strings, because Redis formats every number anew.
 */
const common = `
local call, pcall, sub, find = redis.call, redis.pcall, string.sub, string.find
local function valid(record)
	return find(record, '${headerSyntax}')
end
local function put(key, record, h, grace, nx)
	local hex = sub(h, 34, 45)
	if sub(h, 33, 33) == 'd' then
		hex = sub(h, 1, 12)
	elseif hex == 'ffffffffffff' then
		if nx then return pcall('SET', key, record, 'NX') end
		return pcall('SET', key, record)
	end
	local at = string.format('%.0f', tonumber(hex, 16) + grace)
	if nx then return pcall('SET', key, record, 'PXAT', at, 'NX') end
	return pcall('SET', key, record, 'PXAT', at)
end
`;

/** Runs after what all scripts share: `valid` and `put`. */
export function script(body: string): Script {
	const lua = common + body;
	return { lua, sha: createHash("sha1").update(lua).digest("hex") };
}

/**
 * Clients' writes. KEYS of records; ARGV grace, then one record for each key. 1 when all stand now; else of each: 1, the
 * newer header that stands there, or `-` and an error. An equal header is written again, which mends a damaged payload.
 */
export const compareAndSet = script(`
local grace, said = tonumber(ARGV[1]), nil
local function note(i, word)
	if not said then
		said = {}
		for before = 1, i - 1 do said[before] = 1 end
	end
	said[i] = word
end
for i = 1, #KEYS do
	local key, record = KEYS[i], ARGV[i + 1]
	local h = sub(record, 1, 53)
	local old = pcall('GETRANGE', key, '0', '52')
	if type(old) == 'table' then
		note(i, '-' .. old.err)
	elseif old > h and valid(old) then
		note(i, old)
	else
		local done = put(key, record, h, grace)
		if done.err then note(i, '-' .. done.err) elseif said then said[i] = 1 end
	end
end
return said or 1
`);

/** KEYS the mark; ARGV the next one, the one that it follows ("" for none). 1 when the next one stands now. */
export const replaceMark = script(`
local standing = call('GET', KEYS[1]) or ''
if standing == ARGV[1] then return 1 end
if standing ~= ARGV[2] then return 0 end
call('SET', KEYS[1], ARGV[1])
return 1
`);

/** KEYS the lock; ARGV token, milliseconds. 1 when the token now holds it. */
export const takeLease = script(`
local holder = call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`);

/** KEYS the lock; ARGV token. */
export const releaseLease = script(`
if call('GET', KEYS[1]) == ARGV[1] then return call('UNLINK', KEYS[1]) end
return 0
`);
