import process from 'node:process';
import type { FrameCursor } from '@earshot/bridge-protocol';
import { quantile } from '../quartiles.js';
import type { TimedWindow } from './messages.js';
import { ageMs, stampNow } from './stamp.js';

const MOST_FRAMES = 2_000_000;

/** Notes how old frames are that bear the time of their sending as capture time. */
export class AgeRecorder {
  readonly #agesMs: Float64Array = new Float64Array(MOST_FRAMES);
  readonly #now = stampNow({ high: 0, low: 0 });
  #count = 0;
  #cpu: NodeJS.CpuUsage = { user: 0, system: 0 };

  begin(): void {
    this.#count = 0;
    this.#cpu = process.cpuUsage();
  }

  frames(cursor: FrameCursor): void {
    const now = stampNow(this.#now);
    while (cursor.next()) {
      if (this.#count === MOST_FRAMES) continue;
      this.#agesMs[this.#count] = ageMs(now, cursor.ticksHigh, cursor.ticksLow);
      this.#count += 1;
    }
  }

  end(): TimedWindow {
    const { user, system } = process.cpuUsage(this.#cpu);
    const ages = this.#agesMs.slice(0, this.#count);
    return {
      frames: ages.length,
      p50Ms: quantile(ages, 0.5),
      p99Ms: quantile(ages, 0.99),
      maxMs: quantile(ages, 1),
      cpuMicros: user + system,
    };
  }
}
