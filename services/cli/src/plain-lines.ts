import type { EarshotEvent } from '@earshot/events';
import { formatMediaTime } from './live-frame.js';

/** One event as a line for a pipe or a log file, or undefined when it is not worth a line. */
export function plainLine(event: EarshotEvent): string | undefined {
  const who = event.participant?.displayName ?? event.participant?.id ?? event.sourceId ?? '';
  const at = event.mediaTimeMs === null ? '' : `${formatMediaTime(event.mediaTimeMs)} `;
  const what = describe(event, who);
  return what === undefined ? undefined : at + what;
}

function describe(event: EarshotEvent, who: string): string | undefined {
  switch (event.type) {
    case 'call.stateChanged':
      return `call ${event.data.from} → ${event.data.to}`;
    case 'call.ended':
      return `call ended: ${event.data.reason}`;
    case 'call.rejoined':
      return `call joined again on ${event.data.hostId}: ${event.data.reason}`;
    case 'participant.joined':
      return `${who} joined`;
    case 'participant.left':
      return `${who} left`;
    case 'speech.ended':
      return `${who} spoke for ${Math.round(event.data.durationMs)} ms`;
    case 'tone.detected':
      return `${who} ${event.data.digit === null ? `sounded ${event.data.kind}` : `keyed ${event.data.digit}`} (${Math.round(event.data.durationMs)} ms)`;
    case 'tone.collected':
      return `${who} entered ${event.data.digits || 'nothing'} (${event.data.reason})`;
    case 'speaker.dominant':
      return who === '' ? 'nobody mostly speaks' : `${who} mostly speaks`;
    case 'talk.summary':
      return `spoke for ${seconds(event.data.talkMs)} s in all, ${seconds(event.data.overlapMs)} s of it at once`;
    case 'phrase.recognized':
      return `${who} said "${event.data.phrase}"`;
    case 'media.gap':
      return `${who}: ${event.data.missingFrames} frames lost`;
    case 'play.started':
      return `playing ${Math.round(event.data.durationMs)} ms into the meeting`;
    case 'play.ended':
      return `played ${Math.round(event.data.playedMs)} ms: ${event.data.reason ?? event.data.outcome}`;
    case 'media.stopped':
      return `media stopped: ${event.data.framesReceived} frames received, ${event.data.framesMissing} lost`;
    default:
      return undefined;
  }
}

function seconds(durationMs: number): string {
  return (durationMs / 1000).toFixed(1);
}
