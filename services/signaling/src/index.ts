export type { SignalingConfig } from './config.js';
export { readConfig } from './config.js';
export type { Signaling, SignalingDependencies } from './signaling.js';
export { startSignaling } from './signaling.js';
