export type { RedisClient } from '@earshot/redis-client';
export {
  connect,
  connectionError,
  createClient,
  disconnect,
  LuaScript,
  minReplicasOf,
  withClient,
} from '@earshot/redis-client';
