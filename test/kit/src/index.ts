export type { TestRedis, TestRedisOptions } from './test-redis.js';
export { startTestRedis } from './test-redis.js';
