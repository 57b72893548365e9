import type { CallRecord } from '@earshot/registry';
import type { RecordingView } from '../rest/recording-schemas.js';
import { recordingOf } from './recording-changes.js';

/** A call's recording as the REST API shows it. */
export function recordingViewOf(record: CallRecord): RecordingView {
  const { gate, accepted, wanted, declaration } = recordingOf(record);
  return {
    gate: gate.state,
    opensBy: gate.allows,
    basis: gate.basis,
    reason: gate.reason,
    ...(accepted === undefined ? {} : { status: accepted }),
    ...(wanted === undefined ? {} : { pendingStatus: wanted.status }),
    ...(declaration === undefined
      ? {}
      : {
          declaration: {
            id: declaration.id,
            basis: declaration.basis,
            ...(declaration.reference === undefined ? {} : { reference: declaration.reference }),
            declaredBy: declaration.declaredBy,
            declaredAt: new Date(declaration.declaredAtMs).toISOString(),
          },
        }),
  };
}
