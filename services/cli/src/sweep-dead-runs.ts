import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { startRedis } from '@earshot/redis-server';
import { deadRunFolders, REDIS_FOLDER } from './run-folder.js';

/**
 * Cleans up after runs that were killed with -9. Their services end by themselves; their Redis
 * does not, and is taken over to be stopped. Logs of failed runs go too.
 */
export async function sweepDeadRuns(): Promise<void> {
  for (const folder of deadRunFolders()) {
    const dataDir = path.join(folder, REDIS_FOLDER);
    if (existsSync(dataDir)) {
      try {
        const redis = await startRedis({ dataDir, persistent: true });
        await redis.close();
      } catch {
        // Another start is sweeping the same folder: one of the two is enough.
        continue;
      }
    }
    rmSync(folder, { recursive: true, force: true });
  }
}
