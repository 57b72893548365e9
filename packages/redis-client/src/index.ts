export type { ClientOptions, RedisClient } from './client.js';
export { connect, createClient, disconnect, execute, withClient } from './client.js';
export { connectionError, unreachable } from './connection-error.js';
export { LuaScript } from './lua-script.js';
export type { RedisAddress } from './redis-address.js';
export { parseRedisUrl, REDIS_URL_PATTERN } from './redis-address.js';
