/** Zero crossings of the kernel to either side. */
const CROSSINGS = 16;
const PHASES = 512;
/** Of the lower of the two bands, so that the kernel's slope lies within it. */
const PASS = 0.92;

/** By cutoff: few are ever asked for, often. */
const kernels = new Map<number, Float64Array>();

/** The same sound at another rate, or as fast at the same one: `ratio` is new rate over old. */
export function resample(pcm: Int16Array, ratio: number): Int16Array {
  if (ratio === 1) return pcm;
  const cutoff = PASS * Math.min(1, ratio);
  const reach = Math.ceil(CROSSINGS / cutoff);
  const kernel = kernels.get(cutoff) ?? kernelOf(cutoff, reach);
  kernels.set(cutoff, kernel);
  const taps = 2 * reach;
  const out = new Int16Array(Math.floor(pcm.length * ratio));
  for (let i = 0; i < out.length; i += 1) {
    const at = i / ratio;
    const whole = Math.floor(at);
    const phase = Math.round((at - whole) * PHASES);
    let sum = 0;
    const first = whole - reach + 1;
    const from = Math.max(0, -first);
    const to = Math.min(taps, pcm.length - first);
    for (let k = from; k < to; k += 1) sum += kernel[phase * taps + k]! * pcm[first + k]!;
    out[i] = Math.max(-32_768, Math.min(32_767, Math.round(sum)));
  }
  return out;
}

/** For each phase, the weights of the samples around. */
function kernelOf(cutoff: number, reach: number): Float64Array {
  const taps = 2 * reach;
  const kernel = new Float64Array((PHASES + 1) * taps);
  for (let phase = 0; phase <= PHASES; phase += 1) {
    for (let k = 0; k < taps; k += 1) {
      const x = k - reach + 1 - phase / PHASES;
      const window = Math.abs(x) >= reach ? 0 : 0.5 + 0.5 * Math.cos((Math.PI * x) / reach);
      const sinc = x === 0 ? cutoff : Math.sin(Math.PI * cutoff * x) / (Math.PI * x);
      kernel[phase * taps + k] = window * sinc;
    }
  }
  return kernel;
}
