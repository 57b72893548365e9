export type { ClusterNode } from './cluster-node.js';
export { LossyLink } from './lossy-link.js';
export type { TestCluster, TestClusterOptions } from './test-cluster.js';
export { startTestCluster } from './test-cluster.js';
export type { TestRedis, TestRedisOptions } from './test-redis.js';
export { startTestRedis } from './test-redis.js';
