import { CodedError } from '@earshot/async';
import type { EarshotEvent } from '@earshot/events';
import type { ListeningChange } from '@earshot/listening';
import { EventFeed } from '../event-feed.js';
import { hangUpAll } from '../hang-up-all.js';
import { followLevels } from '../levels-feed.js';
import { LiveModel } from '../live-model.js';
import { LiveScreen } from '../live-screen.js';
import { MediaClock } from '../media-clock.js';
import { plainLine } from '../plain-lines.js';
import { RunFolder } from '../run-folder.js';
import { SignalingClient } from '../signaling-client.js';
import type { SandboxMeeting, Stack } from '../stack.js';
import { startStack } from '../stack.js';
import { summarise } from '../summary.js';
import { sweepDeadRuns } from '../sweep-dead-runs.js';

/** Fast enough for a quick check; the sandbox slows down where the worker can't follow. */
const ONCE_SPEED = 20;
const SETTLE_POLL_MS = 50;
const HANG_UP_LIMIT_MS = 3_000;
/** The bundled meeting takes a minute in real time, with something told every few seconds. */
const STALL_LIMIT_MS = 60_000;

/** Failures that are not the user's to mend: their logs are kept. */
const OUR_FAILURES: ReadonlySet<string> = new Set([
  'service_died',
  'service_not_ready',
  'meeting_stalled',
  'events_differ',
]);

export interface StartOptions {
  readonly audio: readonly string[];
  readonly scenario: readonly string[];
  readonly once: boolean;
  readonly json: boolean;
  readonly speed?: number;
  /** What is listened for in the meeting. */
  readonly listen?: ListeningChange;
}

/** `earshot start`: all services on this machine, and a sandbox meeting joined and heard. */
export async function start(options: StartOptions): Promise<void> {
  const startedAt = new Date();
  await sweepDeadRuns();
  const folder = RunFolder.create(process.pid, startedAt);
  const run = new MainJob(options, folder);
  let keepLogs = false;
  try {
    await run.main(startedAt);
  } catch (error) {
    keepLogs = !(error instanceof CodedError) || OUR_FAILURES.has(error.code);
    throw error;
  } finally {
    await run.close();
    if (keepLogs) process.stderr.write(`earshot: the logs of this run are in ${folder.path}\n`);
    else folder.remove();
  }
}

class MainJob {
  readonly #options: StartOptions;
  readonly #folder: RunFolder;
  readonly #closing = new AbortController();
  readonly #interrupted: Promise<'interrupted'>;
  readonly #crashed: Promise<never>;
  #crash: (error: Error) => void = () => {};
  #stack: Stack | undefined;
  #feed: EventFeed | undefined;
  #screen: LiveScreen | undefined;
  #model: LiveModel | undefined;
  #early: EarshotEvent[] = [];
  #lastEventAtMs = Date.now();
  #over = false;
  readonly #drawsScreen: boolean;
  readonly #speed: number;
  readonly #mediaClock: MediaClock;

  constructor(options: StartOptions, folder: RunFolder) {
    this.#options = options;
    this.#drawsScreen = process.stdout.isTTY && !options.json;
    this.#speed = options.speed ?? (options.once ? ONCE_SPEED : 1);
    this.#mediaClock = new MediaClock(this.#speed);
    this.#folder = folder;
    this.#interrupted = new Promise((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
        process.on(signal, () => resolve('interrupted'));
      }
    });
    this.#crashed = new Promise((_resolve, reject) => {
      this.#crash = reject;
    });
    // It may settle while nobody waits for it.
    this.#crashed.catch(() => {});
  }

  async main(startedAt: Date): Promise<void> {
    const starting = this.#start(startedAt);
    // A signal during start-up must not leave what is half started without an owner.
    const early = await Promise.race([starting, this.#interrupted]);
    const meeting = await starting;
    if (early === 'interrupted') return;
    const { client, callId } = await this.#join(meeting);
    const ended = await Promise.race([
      this.#untilSettled(client, callId),
      this.#interrupted,
      this.#crashed,
    ]);
    if (ended === 'interrupted') return;
    this.#over = true;
    if (this.#options.once) this.#finishOnce();
    else await Promise.race([this.#interrupted, this.#crashed]);
  }

  /** Stops everything; idempotent. */
  async close(): Promise<void> {
    this.#closing.abort();
    if (this.#stack !== undefined) await hangUpAll(clientOf(this.#stack), HANG_UP_LIMIT_MS);
    await this.#feed?.close();
    this.#screen?.close();
    this.#screen = undefined;
    await this.#stack?.close();
  }

  async #start(startedAt: Date): Promise<SandboxMeeting> {
    const onUnexpectedExit = (name: string, status: string): void => {
      this.#crash(
        new CodedError(
          'service_died',
          `Cannot go on: ${name} must keep running, it ended with ${status}`,
        ),
      );
    };
    const stack = await startStack({
      folder: this.#folder,
      audio: this.#options.audio,
      scenarios: this.#options.scenario,
      speed: this.#speed,
      onProgress: (text) => process.stderr.write(`earshot: ${text}\n`),
      onUnexpectedExit,
    });
    this.#stack = stack;
    this.#feed = new EventFeed({
      redisUrl: stack.redisUrl,
      logFile: this.#folder.logFile('events-tail'),
      onEvent: (event) => this.#onEvent(event),
      onUnexpectedExit,
    });
    const wanted = this.#options.audio.length > 0 ? 'custom' : undefined;
    const meeting = stack.meetings.find(({ name }) => wanted === undefined || name === wanted);
    if (meeting === undefined) {
      throw new CodedError(
        'no_meeting',
        'Cannot join: the sandbox must offer a meeting, it has none',
      );
    }
    this.#folder.announce({
      pid: process.pid,
      startedAt: startedAt.toISOString(),
      signalingUrl: stack.signalingUrl,
      apiKey: stack.apiKey,
      redisUrl: stack.redisUrl,
      workerUrl: stack.workerUrl,
      sandboxUrl: stack.sandboxUrl,
      joinUrl: meeting.joinUrl,
    });
    return meeting;
  }

  async #join(meeting: SandboxMeeting): Promise<{ client: SignalingClient; callId: string }> {
    const stack = this.#requireStack();
    const client = clientOf(stack);
    process.stderr.write(`earshot: joining the sandbox meeting "${meeting.name}"\n`);
    const call = await client.join(meeting.joinUrl, this.#options.listen ?? listenFor(meeting));
    this.#model = new LiveModel(call.id);
    for (const event of this.#early) this.#onEvent(event);
    this.#early = [];
    this.#show(stack, meeting);
    return { client, callId: call.id };
  }

  #show(stack: Stack, meeting: SandboxMeeting): void {
    if (!this.#drawsScreen) return;
    const model = this.#model;
    followLevels(stack.workerUrl, (levels) => model?.applyLevels(levels), this.#closing.signal);
    this.#screen = new LiveScreen(() => {
      const nowMs = this.#mediaClock.at(Date.now());
      return {
        title: `Earshot · ${meeting.name}`,
        model,
        nowMs,
        timelineMs: Math.max(meeting.durationMs, nowMs),
        notes: this.#notes(meeting),
      };
    });
  }

  #notes(meeting: SandboxMeeting): string[] {
    return [
      `${this.#over ? 'The meeting is over. Join it again' : 'Join it once more'}: npm start -- --join '${meeting.shortJoinUrl}'`,
      'Your own consumer: npm run earshot -- events tail',
      'Ctrl-C ends everything.',
    ];
  }

  #onEvent(event: EarshotEvent): void {
    this.#lastEventAtMs = Date.now();
    if (this.#model === undefined) {
      this.#early.push(event);
      return;
    }
    this.#model.apply(event);
    if (event.callId === this.#model.callId && event.mediaTimeMs !== null) {
      this.#mediaClock.see(event.mediaTimeMs, Date.now());
      if (event.type === 'media.stopped') this.#mediaClock.stop(event.mediaTimeMs);
    }
    if (this.#drawsScreen) return;
    const line = this.#options.json ? JSON.stringify(event) : plainLine(event);
    if (line !== undefined) console.log(line);
  }

  /** Resolves when the call is over and all that was published has been consumed. */
  async #untilSettled(client: SignalingClient, callId: string): Promise<'settled' | 'closing'> {
    const model = this.#requireModel();
    while (!this.#closing.signal.aborted) {
      if (model.finished) {
        model.eventsPublished = (await client.read(callId)).events?.published ?? 0;
        if (model.eventsConsumed >= model.eventsPublished) return 'settled';
      }
      const quietMs = Date.now() - this.#lastEventAtMs;
      if (this.#options.once && quietMs > STALL_LIMIT_MS) {
        throw new CodedError(
          'meeting_stalled',
          `Cannot finish the meeting: an event is due within ${STALL_LIMIT_MS} ms, ` +
            `${model.eventsConsumed} came and ${model.eventsPublished} are known published`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, SETTLE_POLL_MS));
    }
    return 'closing';
  }

  #finishOnce(): void {
    const summary = summarise(this.#requireModel());
    this.#screen?.close();
    this.#screen = undefined;
    console.log(this.#options.json ? JSON.stringify(summary) : JSON.stringify(summary, null, 2));
    if (summary.eventsConsumed !== summary.eventsPublished) {
      throw new CodedError(
        'events_differ',
        `Cannot call this run whole: every event published must be consumed once, ` +
          `got ${summary.eventsConsumed} of ${summary.eventsPublished}`,
      );
    }
  }

  #requireStack(): Stack {
    if (this.#stack === undefined) throw new Error('the stack is not started');
    return this.#stack;
  }

  #requireModel(): LiveModel {
    if (this.#model === undefined) throw new Error('no call was made');
    return this.#model;
  }
}

/** The phrases that are spoken in it, when it is known to have some. */
function listenFor({ phrases }: SandboxMeeting): ListeningChange {
  if (phrases.length === 0) return {};
  return { phrases: { phrases, jsgf: null, language: 'en-US', minConfidence: 0.5 } };
}

function clientOf(stack: Stack): SignalingClient {
  return new SignalingClient({ url: stack.signalingUrl, apiKey: stack.apiKey });
}
