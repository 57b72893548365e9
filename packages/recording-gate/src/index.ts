export type {
  ClosedGate,
  CloseReason,
  GateBasis,
  GateInput,
  GateState,
  OpenGate,
} from './gate-state.js';
export { closedGate, gateStateSchema, parseGateState, reduceGate } from './gate-state.js';
export type { RecordingSink } from './permitted-writer.js';
export { PermittedWriter } from './permitted-writer.js';
export type { RecordingGateOptions, RecordingPermit } from './recording-gate.js';
export { RecordingGate } from './recording-gate.js';
export { GATE_ALLOWS_LUA, storedGateKey } from './stored-gate.js';
