export type { FindOptions, Program } from './program.js';
export { findProgram } from './program.js';
export type { RedisOptions, RedisServer, RedisSource } from './start-redis.js';
export { startRedis } from './start-redis.js';
