export type { ClusterNode } from './cluster-node.js';
export { metricRows } from './documented-metrics.js';
export { LossyLink } from './lossy-link.js';
export { readMeetingVoices } from './meeting-voices.js';
export type { TestCluster, TestClusterOptions } from './test-cluster.js';
export { startTestCluster } from './test-cluster.js';
export type { TestRedis, TestRedisOptions } from './test-redis.js';
export { startTestRedis } from './test-redis.js';
