export type { SandboxConfig } from './config.js';
export { readConfig } from './config.js';
export type { MeetingSummary } from './meetings/meeting-book.js';
export type { Sandbox, SandboxDeps, SandboxReady } from './sandbox.js';
export { startSandbox } from './sandbox.js';
export { checkScenario, parseScenario, readScenario } from './scenario/parse-scenario.js';
export type { Scenario } from './scenario/scenario.js';
export type { ScenarioBook, ScenarioSummary } from './scenario/scenario-book.js';
