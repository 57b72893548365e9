export type {
  AdmissionLimits,
  AdmissionOutcome,
  AdmissionStanding,
  AdmissionStore,
  GiveBackOptions,
  PauseCause,
  Place,
} from './admission-store.js';
export { PAUSE_CAUSES } from './admission-store.js';
export type { AuditEntry, AuditPage, AuditRecord, AuditStore } from './audit-store.js';
export type { CallRecord } from './call-record.js';
export { isCallOver } from './call-record.js';
export type { CallPage, ListOptions } from './call-store.js';
export type { ConnectedHost, HostNews, HostStore } from './host-store.js';
export type { CallbackBody, NotificationAside } from './notification.js';
export type { PlayRecord, PlayState } from './play-record.js';
export { isOver } from './play-record.js';
export type { PlayStore } from './play-store.js';
export type { StreamPosition } from './position-store.js';
export type { RegistryOptions } from './registry.js';
export { Registry } from './registry.js';
export type { RequestClaim, RequestStore, StoredRequest } from './request-store.js';
export type {
  Kept,
  KeptTranscript,
  TranscriptStore,
  TranscriptWriter,
} from './transcript-store.js';
export type { Lease, Placement, PlaceOptions, WorkerInfo } from './worker-pool.js';
