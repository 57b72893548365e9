export type { MediaWorkerConfig } from './config.js';
export { readConfig } from './config.js';
export type { WorkerLog } from './log.js';
export type { MediaWorker, MediaWorkerDeps } from './media-worker.js';
export { startMediaWorker } from './media-worker.js';
export type { EngineSettings } from './recognition/engine-settings.js';
export { NO_ENGINES } from './recognition/engine-settings.js';
