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
  await measureRound(processes, { messages, framesPerMessage }, PATHS);
  const taken: Round[] = [];
  for (let round = 0; round < rounds; round += 1) {
    // In turns first: a machine that gets faster or slower favours neither.
    const paths = round % 2 === 0 ? PATHS : [...PATHS].reverse();
    taken.push(await measureRound(processes, { messages, framesPerMessage }, paths));
  }
  return {
    framesPerMessage,
    send: quartilesOf(taken.map(({ send }) => send)),
    sendCorked: quartilesOf(taken.map(({ sendCorked }) => sendCorked)),
    receive: quartilesOf(taken.map(({ frames }) => frames)),
    bareWs: quartilesOf(taken.map(({ bare }) => bare)),
    ratio: quartilesOf(taken.map(({ frames, bare }) => frames / bare)),
  };
}

/** Frames a second of CPU time. */
interface Round {
  readonly frames: number;
  readonly bare: number;
  readonly send: number;
  readonly sendCorked: number;
}

async function measureRound(
  processes: BridgeProcesses,
  load: { readonly messages: number; readonly framesPerMessage: number },
  paths: readonly (typeof PATHS)[number][],
): Promise<Round> {
  const perSecond = (cpuMicros: number): number =>
    (load.messages * load.framesPerMessage * 1e6) / cpuMicros;
  const received = { frames: 0, bare: 0 };
  for (const path of paths) {
    const { cpuMicros } = await processes.receive({ ...load, path }, { gc: false });
    received[path] = perSecond(cpuMicros);
  }
  return {
    ...received,
    send: perSecond(await processes.send({ ...load, messagesPerTurn: 1 })),
    sendCorked: perSecond(await processes.send({ ...load, messagesPerTurn: CORKED_MESSAGES })),
  };
}
