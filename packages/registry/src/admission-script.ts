import { LuaScript } from './redis-connection.js';

// The steps of admission, each atomic. KEYS: places (hash: call → place), months (hash: month →
// creations), state (hash). A place is `creation month stamp takenAtMs`; its stamp is new whenever
// somebody says that the call needs it, so that who wants to drop it can tell.

/** Civil date of a Unix time in ms, after Howard Hinnant's days algorithm: Redis' Lua has no calendar. */
export const MONTH_OF_NOW = `
local days = math.floor(now / 86400000) + 719468
local era = math.floor(days / 146097)
local dayOfEra = days - era * 146097
local yearOfEra = math.floor((dayOfEra - math.floor(dayOfEra / 1460) + math.floor(dayOfEra / 36524)
  - math.floor(dayOfEra / 146096)) / 365)
local dayOfYear = dayOfEra - (365 * yearOfEra + math.floor(yearOfEra / 4) - math.floor(yearOfEra / 100))
local shifted = math.floor((5 * dayOfYear + 2) / 153)
local monthNumber = shifted < 10 and shifted + 3 or shifted - 9
local year = yearOfEra + era * 400 + (monthNumber <= 2 and 1 or 0)
local month = string.format('%04d-%02d', year, monthNumber)`;

/** Redis' clock decides which month it is, not that of any pod. */
const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
${MONTH_OF_NOW}`;

const PLACE = `
local function put(callId, creation, ofMonth)
  local stamp = redis.call('HINCRBY', KEYS[3], 'stamp', 1)
  redis.call('HSET', KEYS[1], callId, creation .. ' ' .. ofMonth .. ' ' .. stamp .. ' ' .. now)
end`;

/** Longer than any month, so that a count outlives it. */
const KEEP = `
for i = 1, 3 do redis.call('PEXPIRE', KEYS[i], 5356800000) end`;

const STANDING = `
local made = tonumber(redis.call('HGET', KEYS[2], month) or '0')
local state = redis.call('HMGET', KEYS[3], 'pausedUntilMs', 'pausedBy', 'closedMonth', 'freeEveryMs')
local pausedUntil = tonumber(state[1] or '0')
local pausedBy = state[2] or ''
local closed = state[3] == month
local freeEvery = tonumber(state[4] or '0')`;

const ANSWER = `
return {outcome, redis.call('HLEN', KEYS[1]), made, month, tostring(now), tostring(pausedUntil),
  pausedBy, closed and 1 or 0, tostring(freeEvery)}`;

/** ARGV: call, number of the creation, most places, most creations. */
export const TAKE: LuaScript = new LuaScript(`${NOW}${PLACE}${STANDING}
local creation = tonumber(ARGV[2])
local held = redis.call('HGET', KEYS[1], ARGV[1])
local outcome = 'ok'
local heldCreation, heldMonth
if held then
  local first, second = string.match(held, '^(%d+) (%S+)')
  heldCreation, heldMonth = tonumber(first), second
end
if held and heldCreation >= creation then
  put(ARGV[1], heldCreation, heldMonth)
elseif closed or made >= tonumber(ARGV[4]) then
  outcome = 'monthly_limit_reached'
elseif pausedUntil > now then
  outcome = 'paused'
elseif not held and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[3]) then
  outcome = 'too_many_calls'
else
  put(ARGV[1], creation, month)
  made = redis.call('HINCRBY', KEYS[2], month, 1)
end
${KEEP}${ANSWER}`);

export const READ: LuaScript = new LuaScript(`${NOW}${STANDING}
local outcome = 'ok'${ANSWER}`);

/**
 * ARGV: call, 1 when its last creation did not come to Graph, and the place as read when only that
 * may be dropped. A place goes once: who comes second changes nothing.
 */
export const GIVE_BACK: LuaScript = new LuaScript(`${NOW}
local held = redis.call('HGET', KEYS[1], ARGV[1])
if not held or (ARGV[3] ~= '' and held ~= ARGV[3]) then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
local creation, ofMonth = string.match(held, '^(%d+) (%S+)')
if ARGV[2] == '1' and creation ~= '0' and tonumber(redis.call('HGET', KEYS[2], ofMonth) or '0') > 0 then
  redis.call('HINCRBY', KEYS[2], ofMonth, -1)
end
for _, old in ipairs(redis.call('HKEYS', KEYS[2])) do
  local before = tonumber(string.sub(month, 1, 4)) * 12 + tonumber(string.sub(month, 6))
    - tonumber(string.sub(old, 1, 4)) * 12 - tonumber(string.sub(old, 6))
  if before > 1 then redis.call('HDEL', KEYS[2], old) end
end
local state = redis.call('HMGET', KEYS[3], 'freedAtMs', 'freeEveryMs')
if state[1] then
  local gap = now - tonumber(state[1])
  local every = state[2] and tonumber(state[2]) * 0.8 + gap * 0.2 or gap
  redis.call('HSET', KEYS[3], 'freeEveryMs', tostring(math.floor(every)))
end
redis.call('HSET', KEYS[3], 'freedAtMs', tostring(now))
${KEEP}
return 1`);

/** ARGV: a call that is open and ought to have a place, whatever the limit says. Nothing is counted. */
export const ADOPT: LuaScript = new LuaScript(`${NOW}${PLACE}
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then return 0 end
put(ARGV[1], 0, month)
${KEEP}
return 1`);

/** ARGV: how long, why. A pause that ends later stays. */
export const PAUSE: LuaScript = new LuaScript(`${NOW}
local untilMs = now + tonumber(ARGV[1])
if tonumber(redis.call('HGET', KEYS[3], 'pausedUntilMs') or '0') < untilMs then
  redis.call('HSET', KEYS[3], 'pausedUntilMs', tostring(untilMs), 'pausedBy', ARGV[2])
end
${KEEP}
return 1`);

export const CLOSE_MONTH: LuaScript = new LuaScript(`${NOW}
redis.call('HSET', KEYS[3], 'closedMonth', month)
${KEEP}
return 1`);

export const PLACES: LuaScript = new LuaScript(`${NOW}
return {tostring(now), redis.call('HGETALL', KEYS[1])}`);
