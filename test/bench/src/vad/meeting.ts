import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { ADMIT, ConfirmedSpeech, rmsDbfs } from '@earshot/audio';
import { isOpusDtx, isOpusVoiced } from '@earshot/media-session';
import { createOpusEngine, readOggOpus } from '@earshot/opus';
import { createSpeechModel } from '@earshot/speech-model';
import { FRAME } from './sound.js';

const MEETING = new URL('../../../../services/sandbox/meeting/', import.meta.url);
const VOICES = ['ada', 'alan', 'grace', 'caller'];
/** Calls at once: as many streams as share a decode thread's turn at some load. */
const CALLS = 8;
const ROUNDS = 5;

interface Frame {
  /** Absent where the source says that it is silent. */
  readonly pcm: Int16Array | undefined;
  readonly levelDbfs: number;
  readonly isVoiced: boolean;
}

/** What two stages cost in meetings in which one of four speaks at a time. */
export interface MeetingCost {
  /** Both stages, µs of CPU a stream and 20 ms, silent ones too; and the free one alone. */
  readonly micros: number;
  readonly gateMicros: number;
  /** Share of frames that are not silent by flag, and of those that the model hears. */
  readonly soundShare: number;
  readonly modelShare: number;
}

/** The sample meeting's streams in several calls at once, each at another place of it. */
export async function measureMeeting(): Promise<MeetingCost & { readonly sound: Int16Array[] }> {
  const voices = await readVoices();
  const all = voices.flat();
  const sounding = all.flatMap(({ pcm }) => (pcm === undefined ? [] : [pcm]));
  const frames = Math.min(...voices.map(({ length }) => length));
  const streams = Array.from({ length: CALLS }, (_, call) =>
    voices.map((voice) => ({ voice, offset: Math.floor((call * frames) / CALLS) })),
  ).flat();
  const rounds = Array.from({ length: ROUNDS }, () => ({
    both: listen(streams, frames, true),
    gate: listen(streams, frames, false),
  }));
  const heard = rounds[0]!.both.heard;
  const slots = frames * streams.length;
  return {
    micros: Math.min(...rounds.map(({ both }) => both.micros)) / slots,
    gateMicros: Math.min(...rounds.map(({ gate }) => gate.micros)) / slots,
    soundShare: sounding.length / all.length,
    modelShare: heard / slots,
    sound: sounding,
  };
}

interface Stream {
  readonly voice: readonly Frame[];
  readonly offset: number;
}

/** Frame by frame of all streams, the model once a turn; `withModel` false: only what would be given to it. */
function listen(
  streams: readonly Stream[],
  frames: number,
  withModel: boolean,
): { micros: number; heard: number } {
  const model = createSpeechModel({ capacity: streams.length });
  const listeners = streams.map((stream) => ({
    ...stream,
    speech: new ConfirmedSpeech(),
    heard: model.acquire(),
    isWaiting: false,
  }));
  let heard = 0;
  const start = process.cpuUsage();
  for (let n = 0; n < frames; n += 1) {
    for (const each of listeners) {
      const { pcm, levelDbfs, isVoiced } = each.voice[(n + each.offset) % frames]!;
      if (pcm === undefined) {
        each.speech.pass(n * 20, 20);
        continue;
      }
      const admit = each.speech.hear(n * 20, 20, levelDbfs, false, isVoiced);
      if (admit === ADMIT.closed) {
        each.speech.confirm(Number.NaN);
        continue;
      }
      heard += 1;
      each.isWaiting = true;
      if (!withModel) continue;
      if (admit === ADMIT.opened) each.heard.reset();
      each.heard.push(pcm);
    }
    if (withModel) model.run();
    for (const each of listeners) {
      if (!each.isWaiting) continue;
      each.isWaiting = false;
      each.speech.confirm(each.heard.probability);
    }
  }
  const { user, system } = process.cpuUsage(start);
  for (const each of listeners) each.heard.release();
  return { micros: user + system, heard };
}

async function readVoices(): Promise<Frame[][]> {
  const engine = await createOpusEngine();
  const pool = engine.createDecoderPool({ sampleRateHz: 16_000, channels: 1, capacity: 1 });
  const voices: Frame[][] = [];
  for (const voice of VOICES) {
    const { packets } = await readOggOpus(fileURLToPath(new URL(`${voice}.opus`, MEETING)));
    const decoder = pool.acquire();
    voices.push(
      packets.map((packet) => {
        if (isOpusDtx(packet, packet.length)) {
          return { pcm: undefined, levelDbfs: Number.NEGATIVE_INFINITY, isVoiced: false };
        }
        const pcm = new Int16Array(FRAME);
        decoder.decode(packet, 0, packet.length, pcm);
        const levelDbfs = rmsDbfs(pcm, 0, FRAME);
        return { pcm, levelDbfs, isVoiced: isOpusVoiced(packet, packet.length) };
      }),
    );
    decoder.release();
  }
  return voices;
}
