/** One A-law byte (ITU-T G.711) as a 16-bit sample. */
export function aLawSample(byte: number): number {
  const code = byte ^ 0x55;
  const segment = (code & 0x70) >> 4;
  const step = ((code & 0x0f) << 4) + 8;
  const magnitude = segment === 0 ? step : (step + 0x100) << (segment - 1);
  return (code & 0x80) === 0 ? -magnitude : magnitude;
}

/** What is added before µ-law is coded, at 16 bits. */
const MU_LAW_BIAS = 0x84;

/** One µ-law byte (ITU-T G.711) as a 16-bit sample. */
export function muLawSample(byte: number): number {
  const code = ~byte & 0xff;
  const magnitude = ((((code & 0x0f) << 3) + MU_LAW_BIAS) << ((code & 0x70) >> 4)) - MU_LAW_BIAS;
  return (code & 0x80) === 0 ? magnitude : -magnitude;
}
