/**
 * Where the state of a call's gate stands in Redis: a hash with `gate` (JSON), and since when and until
 * when it counts (Unix ms).
 */
export function storedGateKey(prefix: string, callId: string): string {
  return `${prefix}:{${callId}}:recording-gate`;
}

/**
 * For the beginning of a Lua script: `gate_allows(key, began)` tells whether what began then (Unix ms)
 * may be written now. Nothing may when the gate is closed, was told of too long ago, or opened after
 * that. Whoever keeps something of a call asks in the moment of writing.
 */
export const GATE_ALLOWS_LUA = `
local function gate_allows(key, began)
  local held = redis.call('HMGET', key, 'gate', 'since', 'until')
  if not held[1] or not held[2] then return false end
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  if now >= tonumber(held[3]) or cjson.decode(held[1]).state ~= 'open' then return false end
  return began >= tonumber(held[2])
end`;
