export type { RedisClient } from '@earshot/redis-client';
export {
  connect,
  connectionError,
  createClient,
  disconnect,
  LuaScript,
  withClient,
} from '@earshot/redis-client';
