import { say } from '../progress.js';
import type { Quartiles } from '../quartiles.js';
import { quartilesOf } from '../quartiles.js';
import type { BridgeProcesses } from './bridge-processes.js';

/** Frames a message. */
const SIZES = [1, 4, 10] as const;
/** Messages that leave in one write when corked. */
const CORKED_MESSAGES = 10;
const PATHS = ['frames', 'bare'] as const;

/** Frames a second of CPU time, by one number of frames a message. */
export interface SpeedFigures {
  readonly framesPerMessage: number;
  readonly send: Quartiles;
  readonly sendCorked: Quartiles;
  readonly receive: Quartiles;
  readonly bareWs: Quartiles;
  /** Of each round, ours over that of `ws` alone. */
  readonly ratio: Quartiles;
}

export interface SpeedPlan {
  readonly rounds: number;
  /** Of a slice; another one goes before all, for the compilers. */
  readonly messages: number;
}

/** Sends and receives, slices in turns, so that what disturbs the machine disturbs all. */
export async function measureBridgeSpeed(
  processes: BridgeProcesses,
  plan: SpeedPlan,
): Promise<SpeedFigures[]> {
  const figures: SpeedFigures[] = [];
  for (const framesPerMessage of SIZES) {
    say(`bridge: ${framesPerMessage} frames a message`);
    figures.push(await measureSize(processes, framesPerMessage, plan));
  }
  return figures;
}

async function measureSize(
  processes: BridgeProcesses,
  framesPerMessage: number,
  { rounds, messages }: SpeedPlan,
): Promise<SpeedFigures> {
  const perSecond = (count: number, cpuMicros: number): number =>
    (count * framesPerMessage * 1e6) / cpuMicros;
  const receive = async (path: (typeof PATHS)[number], count: number): Promise<number> => {
    const load = { path, messages: count, framesPerMessage };
    return perSecond(count, (await processes.receive(load, { gc: false })).cpuMicros);
  };
  const send = async (messagesPerTurn: number): Promise<number> => {
    const plan = { messages, framesPerMessage, messagesPerTurn };
    return perSecond(messages, await processes.send(plan));
  };
  for (const path of PATHS) await receive(path, messages);
  await send(1);
  const rows: { ours: number; bare: number; single: number; corked: number }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    // In turns first: a machine that gets faster or slower favours neither.
    const speeds = { frames: 0, bare: 0 };
    for (const path of round % 2 === 0 ? PATHS : [...PATHS].reverse()) {
      speeds[path] = await receive(path, messages);
    }
    const { frames: ours, bare } = speeds;
    rows.push({ ours, bare, single: await send(1), corked: await send(CORKED_MESSAGES) });
  }
  return {
    framesPerMessage,
    send: quartilesOf(rows.map(({ single }) => single)),
    sendCorked: quartilesOf(rows.map(({ corked }) => corked)),
    receive: quartilesOf(rows.map(({ ours }) => ours)),
    bareWs: quartilesOf(rows.map(({ bare }) => bare)),
    ratio: quartilesOf(rows.map(({ ours, bare }) => ours / bare)),
  };
}
