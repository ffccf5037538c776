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

/** Larger records do not travel in pages. */
export const largeBytes = 64 * 1024;
/** At this many bytes of records a page is full. */
export const pageBytes = 512 * 1024;

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
local function page()
	return { parts = {}, count = 0, bytes = 0, large = {} }
end
local function add(to, key)
	local name = string.sub(key, 3)
	-- One byte more than fits, so that a large one shows without being read.
	local record = redis.call('GETRANGE', key, 0, ${largeBytes})
	local size = #record
	if size > ${largeBytes} or to.bytes + size > ${pageBytes} then
		if not (to.whole and to.count == 0) then
			to.large[#to.large + 1] = name
			return
		end
		record = redis.call('GET', key)
		size = #record
	end
	if valid(string.sub(record, 1, 53)) then
		to.count = to.count + 1
		to.bytes = to.bytes + size
		to.parts[to.count] = struct.pack('>I2c0I4c0', #name, name, size, record)
	end
end
`;

function script(body: string): Script {
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

/** ARGV cursor, count. Cursor, packed records, how many, names of those that are too large. */
export const recordsPage = script(`
local found, to = call('SCAN', ARGV[1], 'MATCH', 'd:*', 'COUNT', ARGV[2], 'TYPE', 'string'), page()
for _, key in ipairs(found[2]) do add(to, key) end
return { found[1], table.concat(to.parts), to.count, to.large }
`);

/** KEYS of records. As recordsPage, without cursor; the first goes whole however large it is, so asking again ends. */
export const pickRecords = script(`
local to = page()
to.whole = true
for _, key in ipairs(KEYS) do
	if call('TYPE', key).ok == 'string' then add(to, key) end
end
return { '', table.concat(to.parts), to.count, to.large }
`);

/** ARGV cursor, count. Cursor and packed headers. */
export const headersPage = script(`
local found, parts = call('SCAN', ARGV[1], 'MATCH', 'd:*', 'COUNT', ARGV[2], 'TYPE', 'string'), {}
for _, key in ipairs(found[2]) do
	local h = call('GETRANGE', key, '0', '52')
	if valid(h) then parts[#parts + 1] = struct.pack('>I2', #key - 2) .. sub(key, 3) .. h end
end
return { found[1], table.concat(parts) }
`);

/** ARGV packed headers. Of each `1` when it is missing or older here, else `0`. */
export const lackingHere = script(`
local entries, at, said = ARGV[1], 1, {}
while at <= #entries do
	local name, h, after = struct.unpack('>I2c0c53', entries, at)
	local old = pcall('GETRANGE', 'd:' .. name, '0', '52')
	local has = type(old) == 'table' or (old >= h and valid(old))
	said[#said + 1] = has and '0' or '1'
	at = after
end
return table.concat(said)
`);

/**
 * ARGV mode, grace, records as another node packed them. How many were newer than what stood there, and the error that ended it, if one did.
 * What stands under a key and is not a string stays, and is skipped.
 */
export const takePage = script(`
local fill, grace, records, at, stored = ARGV[1] == 'fill', tonumber(ARGV[2]), ARGV[3], 1, 0
while at <= #records do
	local name, record, after = struct.unpack('>I2c0I4c0', records, at)
	local key, h, done = 'd:' .. name, sub(record, 1, 53), false
	if fill then done = put(key, record, h, grace, true) end
	if not done then
		local old = pcall('GETRANGE', key, '0', '52')
		if type(old) == 'string' and not (old >= h and valid(old)) then done = put(key, record, h, grace) end
	end
	if done then
		if done.err then return { stored, done.err } end
		stored = stored + 1
	end
	at = after
end
return { stored, '' }
`);

/** ARGV cursor, count. Removes, whatever it is, what lies under the prefix of records; the next cursor. */
export const erasePage = script(`
local found = call('SCAN', ARGV[1], 'MATCH', 'd:*', 'COUNT', ARGV[2])
for _, key in ipairs(found[2]) do call('UNLINK', key) end
return found[1]
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
