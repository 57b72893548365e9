import { CodedError } from '@earshot/async';
import type { DecodeBatchOptions, DecoderPoolOptions, EncoderPoolOptions } from './opus-engine.js';
import { MAX_FRAME_BYTES, MAX_PACKET_BYTES, maxPacketSamples } from './opus-packet.js';

const SAMPLE_RATES_HZ: readonly number[] = [8000, 12000, 16000, 24000, 48000];

const MAX_BATCH_ENTRIES = 1024;
/** Its states fill no more than a 32-bit memory. */
const MAX_CAPACITY = 20_000;

/** @throws CodedError `invalid_opus_options` */
export function checkDecoderPool(options: DecoderPoolOptions): void {
  const action = 'create a decoder pool';
  checkFormat(action, options);
  checkRange(action, 'capacity', options.capacity, MAX_CAPACITY);
  const { entries, maxPacketBytes, maxSamples } = batchOptions(options);
  checkRange(action, 'batch.entries', entries, MAX_BATCH_ENTRIES);
  checkRange(action, 'batch.maxPacketBytes', maxPacketBytes, MAX_PACKET_BYTES);
  checkRange(action, 'batch.maxSamples', maxSamples, maxPacketSamples(options.sampleRateHz));
}

/** @throws CodedError `invalid_opus_options` */
export function checkEncoderPool(options: EncoderPoolOptions): void {
  const action = 'create an encoder pool';
  checkFormat(action, options);
  checkRange(action, 'capacity', options.capacity, MAX_CAPACITY);
}

/** What the pool's batch holds: one frame of 20 ms when nothing is said. */
export function batchOptions({ batch, sampleRateHz }: DecoderPoolOptions): DecodeBatchOptions {
  return batch ?? { entries: 1, maxPacketBytes: MAX_FRAME_BYTES, maxSamples: sampleRateHz / 50 };
}

/** @throws RangeError for an entry that a batch does not have. */
export function checkEntry(entry: number, entries: number): void {
  if (entry >= 0 && entry < entries) return;
  throw new RangeError(
    `Cannot set a batch entry: it must be from 0 to ${entries - 1}, got ${entry}`,
  );
}

export function invalidEncoder({ bitrateBps, fecLossPercent = 0 }: EncoderPoolOptions): CodedError {
  const actual = `${bitrateBps} bit/s and ${fecLossPercent} %`;
  return new CodedError(
    'invalid_opus_options',
    `Cannot create an encoder pool: libopus must accept bit rate and loss, got ${actual}`,
  );
}

export function poolExhausted(kind: 'decoder' | 'encoder', capacity: number): CodedError {
  return new CodedError(
    `${kind}_pool_exhausted`,
    `Cannot acquire: at most ${capacity} ${kind}s may be in use, got a request for one more`,
  );
}

function checkFormat(action: string, format: { sampleRateHz: number; channels: number }): void {
  const { sampleRateHz, channels } = format;
  if (!SAMPLE_RATES_HZ.includes(sampleRateHz)) {
    const rule = `the sample rate must be one of ${SAMPLE_RATES_HZ.join(', ')} Hz`;
    throw invalidOptions(action, rule, sampleRateHz);
  }
  if (channels !== 1 && channels !== 2) {
    throw invalidOptions(action, 'channels must be 1 or 2', channels);
  }
}

function checkRange(action: string, name: string, value: number, max: number): void {
  if (Number.isSafeInteger(value) && value >= 1 && value <= max) return;
  throw invalidOptions(action, `${name} must be from 1 to ${max}`, value);
}

function invalidOptions(action: string, rule: string, actual: number): CodedError {
  return new CodedError('invalid_opus_options', `Cannot ${action}: ${rule}, got ${actual}`);
}
