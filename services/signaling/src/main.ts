import { runService } from '@earshot/service-process';
import { readConfig } from './config.js';
import { startSignaling } from './signaling.js';

await runService({
  name: 'signaling',
  start: async () => startSignaling(readConfig(process.env)),
  ready: ({ url, hostLinkUrl }) => ({ url, hostLinkUrl }),
});
