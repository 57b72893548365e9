import type { Json } from './json.js';
import { typed } from './json.js';

/** A private audio path between participants of a group call (Graph: `audioRoutingGroup`). */
export interface AudioRoutingGroup {
  readonly id: string;
  /** `oneToOne` has one source and one receiver, and both see it. */
  readonly routingMode: 'oneToOne' | 'multicast';
  /** Ids of participants. */
  readonly sources: readonly string[];
  readonly receivers: readonly string[];
}

/** A group as it shall be. */
export interface AudioRoutingParams {
  readonly routingMode: 'oneToOne' | 'multicast';
  readonly sources: readonly string[];
  readonly receivers: readonly string[];
}

export function audioRoutingBody({ routingMode, sources, receivers }: AudioRoutingParams): Json {
  return typed('audioRoutingGroup', { routingMode, sources, receivers });
}
