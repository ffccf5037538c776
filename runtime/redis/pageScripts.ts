import { script } from "./script.ts";

/** Larger records do not travel in pages. */
export const largeBytes = 64 * 1024;
/** At this many bytes of records a page is full. */
export const pageBytes = 512 * 1024;

/** How a page is put together. */
const packing = `
local function page()
	return { parts = {}, count = 0, bytes = 0, large = {} }
end
local function pack(to, name, record)
	if not valid(record) then return end
	to.count = to.count + 1
	to.bytes = to.bytes + #record
	to.parts[to.count] = struct.pack('>I2c0I4c0', #name, name, #record, record)
end
local function add(to, key, record)
	local name = sub(key, 3)
	if #record <= ${largeBytes} and to.bytes + #record <= ${pageBytes} then
		pack(to, name, record)
	elseif to.whole and to.count == 0 then
		pack(to, name, call('GET', key))
	else
		to.large[#to.large + 1] = name
	end
end
-- One byte more than fits, so that a large one shows without being read.
local function read_and_add(to, key)
	local record = pcall('GETRANGE', key, '0', '${largeBytes}')
	if type(record) == 'string' then add(to, key, record) end
end
`;

/** Keys that are read by one MGET: a call costs more than a small record, and so many large ones at once are bearable. */
const together = 32;

/** ARGV cursor, count. Cursor, packed records, how many, names of those that are too large. */
export const recordsPage = script(`${packing}
local found, to, at = call('SCAN', ARGV[1], 'MATCH', 'd:*', 'COUNT', ARGV[2]), page(), 1
local keys = found[2]
while at <= #keys and to.bytes + #to.large * ${largeBytes} < ${pageBytes} do
	local last = math.min(at + ${together - 1}, #keys)
	local records = call('MGET', unpack(keys, at, last))
	for i = at, last do
		local record = records[i - at + 1]
		if record then add(to, keys[i], record) end
	end
	at = last + 1
end
for i = at, #keys do read_and_add(to, keys[i]) end
return { found[1], table.concat(to.parts), to.count, to.large }
`);

/** KEYS of records. As recordsPage, without cursor; the first goes whole however large it is, so asking again ends. */
export const pickRecords = script(`${packing}
local to = page()
to.whole = true
for _, key in ipairs(KEYS) do read_and_add(to, key) end
return { '', table.concat(to.parts), to.count, to.large }
`);

/** ARGV cursor, count. Cursor and packed headers. */
export const headersPage = script(`
local found, parts = call('SCAN', ARGV[1], 'MATCH', 'd:*', 'COUNT', ARGV[2]), {}
for _, key in ipairs(found[2]) do
	local h = pcall('GETRANGE', key, '0', '52')
	if type(h) == 'string' and valid(h) then parts[#parts + 1] = struct.pack('>I2', #key - 2) .. sub(key, 3) .. h end
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
