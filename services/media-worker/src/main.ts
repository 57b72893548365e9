import { runService } from '@earshot/service-process';
import { readConfig } from './config.js';
import { startMediaWorker } from './media-worker.js';

await runService({
  name: 'media-worker',
  start: async () => startMediaWorker(readConfig(process.env)),
  ready: ({ url, workerId }) => ({ url, workerId }),
});
