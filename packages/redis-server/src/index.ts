export type { RedisOptions, RedisServer, RedisSource } from './start-redis.js';
export { startRedis } from './start-redis.js';
