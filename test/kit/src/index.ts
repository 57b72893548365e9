export { metricRows } from './documented-metrics.js';
export type { TestRedis, TestRedisOptions } from './test-redis.js';
export { startTestRedis } from './test-redis.js';
