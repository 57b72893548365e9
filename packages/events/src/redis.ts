export type { RedisClient } from '@earshot/redis-client';
export {
  connect,
  connectionError,
  createClient,
  disconnect,
  execute,
  LuaScript,
  minReplicasOf,
  withClient,
} from '@earshot/redis-client';
