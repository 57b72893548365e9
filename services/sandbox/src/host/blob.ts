import { z } from 'zod';

/** What a blob of the sandbox's media host says. Secret: it stands for a call's audio. */
export interface BlobContent {
  readonly mediaId: string;
  /** Known to the host that made the blob only: nobody can make one up. */
  readonly key: string;
}

const blobSchema: z.ZodType<BlobContent> = z.object({
  mediaId: z.string().min(1),
  key: z.string().min(1),
});

/** Writes the opaque text that signaling passes to Graph as `mediaConfig.blob`. */
export function writeBlob({ mediaId, key }: BlobContent): string {
  return Buffer.from(JSON.stringify({ mediaId, key })).toString('base64');
}

/** Reads a blob; undefined for anything that no host of this kind made. Never throws. */
export function readBlob(blob: string): BlobContent | undefined {
  try {
    const parsed = blobSchema.safeParse(JSON.parse(Buffer.from(blob, 'base64').toString('utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
