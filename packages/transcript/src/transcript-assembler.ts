import type { Gap } from './gap-marks.js';
import { MIN_MARKED_MS, markGaps, mergeGaps } from './gap-marks.js';
import type { LostSound, NotRecorded, Speaker, Transcript, Utterance } from './transcript.js';
import type {
  FinalEvent,
  GapEvent,
  NotRecordedEvent,
  PartialEvent,
  SkippedEvent,
  TranscriptEvent,
} from './transcript-event.js';

/** What was told of one utterance: of each kind the newest word. */
interface Told {
  final?: FinalEvent;
  partial?: PartialEvent;
  skipped?: SkippedEvent;
}

/**
 * Puts the transcript of one call together. The same events give the same transcript, in whatever
 * order they come and however often.
 */
export class TranscriptAssembler {
  readonly callId: string;
  readonly #told = new Map<string, Told>();
  readonly #gaps = new Map<string, GapEvent>();
  readonly #notRecorded = new Map<string, NotRecordedEvent>();
  /** The newest event that names a participant. */
  readonly #names = new Map<string, TranscriptEvent>();

  constructor(callId: string) {
    this.callId = callId;
  }

  /** Takes an event; those of other calls are left out. */
  add(event: TranscriptEvent): void {
    if (event.callId !== this.callId) return;
    const { participant } = event;
    if (participant?.displayName !== undefined) {
      keepNewer(this.#names, participant.id, event, byTime);
    }
    switch (event.type) {
      case 'transcript.final':
        this.#utterance(event.data.utteranceId, (told) => {
          told.final = newer(told.final, event, byEpoch);
        });
        return;
      case 'transcript.partial':
        this.#utterance(event.data.utteranceId, (told) => {
          told.partial = newer(told.partial, event, byRevision);
        });
        return;
      case 'transcript.skipped':
        // Phrases are no part of it.
        if (event.data.task !== 'dictation') return;
        this.#utterance(event.data.utteranceId, (told) => {
          told.skipped = newer(told.skipped, event, byEpoch);
        });
        return;
      case 'media.gap':
        keepNewer(this.#gaps, event.id, event, byEpoch);
        return;
      case 'transcript.notRecorded':
        keepNewer(this.#notRecorded, event.id, event, byEpoch);
        return;
      default:
    }
  }

  /** The transcript of what was told so far. */
  get transcript(): Transcript {
    const bare = [...this.#told].map(([id, told]) => this.#bareUtterance(id, told)).sort(inOrder);
    const { added, lost } = this.#shareGaps(bare);
    return {
      callId: this.callId,
      utterances: bare.map((utterance) => withGaps(utterance, added.get(utterance) ?? [])),
      lost,
      notRecorded: this.#missing(),
    };
  }

  #utterance(id: string, change: (told: Told) => void): void {
    const told = this.#told.get(id) ?? {};
    change(told);
    this.#told.set(id, told);
  }

  #bareUtterance(id: string, { final, partial, skipped }: Told): Utterance {
    const text = (final ?? partial)?.data;
    const event = final ?? skipped ?? partial;
    const known = [final, skipped, partial].find((one) => one?.participant != null)?.participant;
    return {
      id,
      participant: this.#named(known ?? null),
      sourceId: event?.sourceId ?? null,
      startMs: event?.data.startMs ?? 0,
      endMs: event?.data.endMs ?? 0,
      text: text?.text ?? '',
      words: text?.words ?? [],
      engine: text?.engine ?? null,
      language: text?.language ?? null,
      confidence: text?.confidence ?? null,
      gaps: text?.gaps ?? [],
      skipped: final === undefined ? (skipped?.data.reason ?? null) : null,
      isPartial: final === undefined && skipped === undefined,
    };
  }

  #named(participant: Speaker | null): Speaker | null {
    if (participant === null) return null;
    const displayName = this.#names.get(participant.id)?.participant?.displayName;
    return { id: participant.id, ...(displayName === undefined ? {} : { displayName }) };
  }

  /** A gap that no utterance tells of goes to the first one that it touches, or to none. */
  #shareGaps(utterances: readonly Utterance[]): {
    added: ReadonlyMap<Utterance, readonly Gap[]>;
    lost: readonly LostSound[];
  } {
    const added = new Map<Utterance, Gap[]>();
    const lost: LostSound[] = [];
    const bySource = groupBySource(utterances);
    for (const { data, participant, sourceId } of [...this.#gaps.values()].sort(byStart)) {
      const { startMs, durationMs } = data;
      const gap = { startMs, durationMs };
      const own = bySource.get(sourceId) ?? [];
      if (own.some(({ gaps }) => gaps.some((told) => overlap(told, gap)))) continue;
      const touched = own.find((one) =>
        overlap({ startMs: one.startMs, durationMs: one.endMs - one.startMs }, gap),
      );
      if (touched !== undefined) added.set(touched, [...(added.get(touched) ?? []), gap]);
      else if (durationMs >= MIN_MARKED_MS) {
        lost.push({ ...gap, participant: this.#named(participant), sourceId });
      }
    }
    return { added, lost };
  }

  #missing(): NotRecorded[] {
    return [...this.#notRecorded.values()]
      .sort((a, b) => a.data.beforeMs - b.data.beforeMs || compare(a.id, b.id))
      .map(({ data: { utterances, beforeMs } }) => ({ utterances, beforeMs }));
  }
}

/** The transcripts of all calls that events tell of, in the order in which they are first named. */
export function assembleTranscripts(events: Iterable<TranscriptEvent>): Transcript[] {
  const assemblers = new Map<string, TranscriptAssembler>();
  for (const event of events) {
    const known = assemblers.get(event.callId);
    const assembler = known ?? new TranscriptAssembler(event.callId);
    if (known === undefined) assemblers.set(event.callId, assembler);
    assembler.add(event);
  }
  return Array.from(assemblers.values(), ({ transcript }) => transcript);
}

function withGaps(utterance: Utterance, added: readonly Gap[]): Utterance {
  const gaps = mergeGaps([...utterance.gaps, ...added]);
  const text = utterance.text === '' ? '' : markGaps({ ...utterance, gaps });
  return { ...utterance, gaps, text };
}

function groupBySource(
  utterances: readonly Utterance[],
): ReadonlyMap<string | null, readonly Utterance[]> {
  const groups = new Map<string | null, Utterance[]>();
  for (const utterance of utterances) {
    const group = groups.get(utterance.sourceId);
    if (group === undefined) groups.set(utterance.sourceId, [utterance]);
    else group.push(utterance);
  }
  return groups;
}

function overlap(a: Gap, b: Gap): boolean {
  return a.startMs < b.startMs + b.durationMs && b.startMs < a.startMs + a.durationMs;
}

type Order<Event> = (a: Event, b: Event) => number;

/** Two that differ and count as equally new are told apart by what they say, so that order is no matter. */
function newer<Event extends TranscriptEvent>(
  known: Event | undefined,
  event: Event,
  order: Order<Event>,
): Event {
  if (known === undefined) return event;
  const difference = order(known, event) || compare(JSON.stringify(known), JSON.stringify(event));
  return difference >= 0 ? known : event;
}

function keepNewer<Event extends TranscriptEvent>(
  map: Map<string, Event>,
  key: string,
  event: Event,
  order: Order<Event>,
): void {
  map.set(key, newer(map.get(key), event, order));
}

function byEpoch(a: TranscriptEvent, b: TranscriptEvent): number {
  return a.epoch - b.epoch;
}

function byRevision(a: PartialEvent, b: PartialEvent): number {
  return byEpoch(a, b) || a.data.revision - b.data.revision;
}

function byTime(a: TranscriptEvent, b: TranscriptEvent): number {
  return compare(a.wallclock, b.wallclock);
}

function byStart(a: GapEvent, b: GapEvent): number {
  return a.data.startMs - b.data.startMs || compare(a.id, b.id);
}

function inOrder(a: Utterance, b: Utterance): number {
  return a.startMs - b.startMs || a.endMs - b.endMs || compare(a.id, b.id);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
