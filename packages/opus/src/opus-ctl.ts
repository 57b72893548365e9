import type { OpusEncoderOptions } from './opus-engine.js';

/** libopus `OPUS_APPLICATION_*` (`opus_defines.h`). */
export const APPLICATION = { voip: 2048, audio: 2049 } as const;

/** libopus `OPUS_*_REQUEST`. */
export const CTL = {
  setBitrate: 4002,
  setInbandFec: 4012,
  setPacketLossPercent: 4014,
  setDtx: 4016,
  setSignal: 4024,
  getLookahead: 4027,
  resetState: 4028,
} as const;

const SIGNAL_VOICE = 3001;

/** The settings, request and value, that make an encoder what its options say. */
export function encoderSettings(options: OpusEncoderOptions): [request: number, value: number][] {
  const { bitrateBps, dtx, application, fecLossPercent = 0 } = options;
  return [
    [CTL.setBitrate, bitrateBps],
    [CTL.setDtx, dtx ? 1 : 0],
    [CTL.setInbandFec, fecLossPercent > 0 ? 1 : 0],
    [CTL.setPacketLossPercent, fecLossPercent],
    ...(application === 'voip' ? [voice] : []),
  ];
}

const voice: [number, number] = [CTL.setSignal, SIGNAL_VOICE];
