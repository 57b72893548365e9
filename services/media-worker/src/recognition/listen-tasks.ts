import type { ListeningSettings } from '@earshot/listening';
import type { ListenTask } from './recognition-messages.js';

/** A phrase is short, and acted on: no long pause is waited for. */
const PHRASE_ENDPOINT_MS = 500;
const MAX_PHRASE_MS = 15_000;

/** What recognizers are to do, as a call's settings say. */
export function tasksOf({ phrases, dictation }: ListeningSettings): ListenTask[] {
  const tasks: ListenTask[] = [];
  if (phrases !== null) {
    tasks.push({
      task: { kind: 'phrases', phrases: phrases.phrases, jsgf: phrases.jsgf },
      language: phrases.language,
      engines: null,
      endpointMs: PHRASE_ENDPOINT_MS,
      maxUtteranceMs: MAX_PHRASE_MS,
    });
  }
  if (dictation !== null) {
    tasks.push({
      task: { kind: 'dictation', partials: dictation.partials },
      language: dictation.language,
      engines: dictation.engines,
      endpointMs: dictation.endpointMs,
      maxUtteranceMs: dictation.maxUtteranceMs,
    });
  }
  return tasks;
}
