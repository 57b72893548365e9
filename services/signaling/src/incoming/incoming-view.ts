import type { IncomingView } from '../rest/incoming-schemas.js';
import type { IncomingState } from './incoming-state.js';

/** What came in as the REST API shows it: without tokens and without who it is about. */
export function incomingViewOf(incoming: IncomingState): IncomingView {
  const { scenario, answerByMs, participantCapacity, botData } = incoming;
  const { mediaHostedRegion } = botData ?? {};
  return {
    scenario,
    answerBy: new Date(answerByMs).toISOString(),
    ...(participantCapacity === undefined ? {} : { participantCapacity }),
    ...(mediaHostedRegion === undefined ? {} : { mediaHostedRegion }),
  };
}
