import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { createOpusEngine, encodeFrames, writeOggOpus } from '@earshot/opus';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { EarshotProcess } from '../dist/main-job.js';

const RATE_HZ = 16_000;
const FRAME_SAMPLES = 320;
/** By how much the codec delays: its samples are heard later by so many. */
const LOOKAHEAD = 104;
/** A guest who says nothing, for longer than this test takes on any machine. */
const MEETING_MS = 1_800_000;
const WAIT = { timeout: 120_000, interval: 200 };

interface RunInfo {
  readonly signalingUrl: string;
  readonly apiKey: string;
  readonly sandboxUrl: string;
}

interface Call {
  readonly media: { readonly attached: boolean };
}

interface Play {
  readonly playId: string;
  readonly state: string;
  readonly durationMs: number;
  readonly playedMs?: number;
}

describe('audio posted to a call', () => {
  let dataFolder = '';
  let run: EarshotProcess;
  let info: RunInfo;
  let callId = '';

  beforeAll(async () => {
    dataFolder = mkdtempSync(path.join(os.tmpdir(), 'earshot-e2e-'));
    const guest = path.join(dataFolder, 'guest.opus');
    const [silence] = (await encode(new Int16Array(RATE_HZ))).slice(-1);
    if (silence === undefined) throw new Error('silence must have packets');
    const packets = new Array<Uint8Array>(MEETING_MS / 20).fill(silence);
    writeFileSync(guest, await writeOggOpus({ packets }));
    run = earshot('start', '--json', '--audio', guest);
    const started = JSON.parse(await run.line((line) => line.includes('"media.started"')));
    callId = started.callId;
    const runs = path.join(dataFolder, 'runs');
    const folder = path.join(runs, readdirSync(runs)[0] ?? '');
    info = JSON.parse(readFileSync(path.join(folder, 'run.json'), 'utf8'));
    await vi.waitUntil(async () => (await api<Call>(`/v1/calls/${callId}`)).media.attached, WAIT);
  });

  afterAll(async () => {
    run.child.kill('SIGINT');
    await run.finished;
    rmSync(dataFolder, { recursive: true, force: true });
  });

  function earshot(...args: string[]): EarshotProcess {
    return new EarshotProcess(args, { EARSHOT_DATA_DIR: dataFolder });
  }

  async function api<T>(pathname: string, init: RequestInit = {}): Promise<T> {
    const response = await fetch(info.signalingUrl + pathname, {
      ...init,
      headers: { authorization: `Bearer ${info.apiKey}`, ...init.headers },
    });
    return JSON.parse(await response.text());
  }

  async function over({ playId }: Play): Promise<Play> {
    const pathname = `/v1/calls/${callId}/plays/${playId}`;
    return vi.waitUntil(async () => {
      const play = await api<Play>(pathname);
      return !['queued', 'playing'].includes(play.state) && play;
    }, WAIT);
  }

  /** What the meeting heard from us until now. */
  async function heard(): Promise<Int16Array> {
    const url = `${info.sandboxUrl}/sandbox/calls/${callId}/heard.wav`;
    const file = await new Promise<Buffer>((resolve, reject) => {
      get(url, { rejectUnauthorized: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve(Buffer.concat(chunks)));
      }).on('error', reject);
    });
    const samples = file.subarray(file.indexOf('data') + 8);
    return Int16Array.from({ length: samples.length / 2 }, (_, n) => samples.readInt16LE(2 * n));
  }

  it('as WAV is heard in the meeting, sample for sample but for the codec', async () => {
    const sound = melody(3000, 0);
    const file = path.join(dataFolder, 'a.wav');
    writeFileSync(file, wavFile(sound));
    const posted = await earshot('calls', 'play', callId, file).finished;
    expect([posted.stderr, posted.exitCode]).toEqual(['', 0]);
    const play: Play = JSON.parse(posted.stdout);
    expect(play).toMatchObject({ state: 'queued', durationMs: 3020 });
    expect(await over(play)).toMatchObject({ state: 'played', playedMs: 3020 });
    const { at, snrDb } = bestMatch(sound, await heard());
    expect(snrDb).toBeGreaterThan(15);
    expect(at % FRAME_SAMPLES).toBe(LOOKAHEAD);
    const ended = JSON.parse(await run.line((line) => line.includes('"play.ended"')));
    expect(ended.data).toEqual({ playId: play.playId, outcome: 'played', playedMs: 3020 });
  });

  it('as Ogg Opus passes through: what is heard is what its packets decode to', async () => {
    const packets = await encode(melody(2000, 1));
    const play = await api<Play>(`/v1/calls/${callId}/play`, {
      method: 'POST',
      headers: { 'content-type': 'audio/ogg' },
      body: Uint8Array.from(await writeOggOpus({ packets })),
    });
    expect(await over(play)).toMatchObject({ state: 'played', playedMs: 2000 });
    const decoder = (await createOpusEngine())
      .createDecoderPool({ sampleRateHz: RATE_HZ, channels: 1, capacity: 1 })
      .acquire();
    const decoded = new Int16Array(packets.length * FRAME_SAMPLES);
    for (const [n, packet] of packets.entries()) {
      const out = decoded.subarray(n * FRAME_SAMPLES, (n + 1) * FRAME_SAMPLES);
      decoder.decode(packet, 0, packet.length, out);
    }
    const samples = await heard();
    const { at } = bestMatch(decoded, samples);
    expect(samples.slice(at, at + decoded.length)).toEqual(decoded);
  });

  it('is silent soon after it was cleared', async () => {
    const before = (await heard()).length;
    const play = await api<Play>(`/v1/calls/${callId}/play`, {
      method: 'POST',
      headers: { 'content-type': 'audio/wav' },
      body: wavFile(melody(20_000, 2)),
    });
    const pathname = `/v1/calls/${callId}/plays/${play.playId}`;
    await vi.waitUntil(async () => (await api<Play>(pathname)).state === 'playing', WAIT);
    await api(pathname, { method: 'DELETE' });
    const cleared = await over(play);
    expect(cleared).toMatchObject({ state: 'cleared' });
    expect(cleared.playedMs).toBeGreaterThan(0);
    expect(cleared.playedMs).toBeLessThan(15_000);
    const loud = (await heard()).subarray(before).filter((sample) => Math.abs(sample) > 500);
    expect(loud.length).toBeLessThanOrEqual(((cleared.playedMs ?? 0) * RATE_HZ) / 1000);
  });
});

async function encode(pcm: Int16Array): Promise<Uint8Array[]> {
  return encodeFrames(await createOpusEngine(), pcm, {
    sampleRateHz: RATE_HZ,
    channels: 1,
    bitrateBps: 32_000,
    dtx: false,
    application: 'audio',
  });
}

/** Notes of 100 ms that do not repeat, so that it fits in one place only. */
function melody(durationMs: number, seed: number): Int16Array {
  let phase = 0;
  return Int16Array.from({ length: (durationMs * RATE_HZ) / 1000 }, (_, n) => {
    const note = Math.floor((n * 10) / RATE_HZ);
    phase += (2 * Math.PI * (300 + ((note * 7919 + seed * 104_729) % 1700))) / RATE_HZ;
    return Math.round(9000 * Math.sin(phase));
  });
}

function wavFile(samples: Int16Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(44 + 2 * samples.length);
  const file = Buffer.from(bytes.buffer);
  file.write('RIFF', 0);
  file.writeUInt32LE(bytes.length - 8, 4);
  file.write('WAVEfmt ', 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(RATE_HZ, 24);
  file.writeUInt32LE(2 * RATE_HZ, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36);
  file.writeUInt32LE(2 * samples.length, 40);
  for (const [n, sample] of samples.entries()) file.writeInt16LE(sample, 44 + 2 * n);
  return bytes;
}

/** Where in `heard` the sound lies, found by its middle, and how well it fits there. */
function bestMatch(sound: Int16Array, heard: Int16Array): { at: number; snrDb: number } {
  const from = Math.floor(sound.length / 2);
  const probe = sound.subarray(from, from + 1600);
  let at = 0;
  let best = Number.NEGATIVE_INFINITY;
  for (let lag = from; lag + probe.length <= heard.length; lag += 1) {
    let product = 0;
    for (let n = 0; n < probe.length; n += 1) product += (probe[n] ?? 0) * (heard[lag + n] ?? 0);
    if (product > best) [best, at] = [product, lag - from];
  }
  let signal = 0;
  let noise = 0;
  for (let n = 0; n < sound.length; n += 1) {
    signal += (sound[n] ?? 0) ** 2;
    noise += ((sound[n] ?? 0) - (heard[at + n] ?? 0)) ** 2;
  }
  return { at, snrDb: 10 * Math.log10(signal / Math.max(noise, 1e-9)) };
}
