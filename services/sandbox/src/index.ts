export type { SandboxConfig } from './config.js';
export { readConfig } from './config.js';
export type { MeetingSummary } from './meetings/meeting-book.js';
export type { Sandbox, SandboxDeps, SandboxReady } from './sandbox.js';
export { startSandbox } from './sandbox.js';
