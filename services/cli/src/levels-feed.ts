import { z } from 'zod';

const RETRY_MS = 500;

/** Momentary levels of one call's streams. */
export interface Levels {
  readonly callId: string;
  readonly streams: readonly {
    readonly streamId: number;
    readonly sourceId?: string | null | undefined;
    readonly levelDbfs: number;
    readonly speaking: boolean;
  }[];
}

const levelsSchema: z.ZodType<Levels> = z.object({
  callId: z.string(),
  streams: z.array(
    z.object({
      streamId: z.number(),
      sourceId: z.string().nullish(),
      levelDbfs: z.number(),
      speaking: z.boolean(),
    }),
  ),
});

/** Follows a worker's `/v1/levels` (server-sent events) until aborted; reconnects on a break. */
export async function followLevels(
  workerUrl: string,
  onLevels: (levels: Levels) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const response = await fetch(new URL('/v1/levels', workerUrl), { signal });
      if (response.body !== null) await readEvents(response.body, onLevels);
    } catch {
      // Levels are for the eye only: a break is not worth more than another try.
    }
    if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref());
  }
}

async function readEvents(
  body: ReadableStream<Uint8Array>,
  onLevels: (levels: Levels) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    const blocks = rest.split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const data = block.replace(/^data: ?/, '');
      if (!data.startsWith('{')) continue;
      const levels = levelsSchema.safeParse(JSON.parse(data));
      if (levels.success) onLevels(levels.data);
    }
  }
}
