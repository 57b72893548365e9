import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RunFolder } from '../src/run-folder.js';

let base: string;
beforeEach(() => {
  base = mkdtempSync(path.join(tmpdir(), 'earshot-cli-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(base, { recursive: true });
});

describe('the folder of a run', () => {
  it('must be one that can be written', () => {
    const file = path.join(base, 'file');
    writeFileSync(file, '');
    vi.stubEnv('EARSHOT_DATA_DIR', file);
    expect(() => RunFolder.create(1, new Date())).toThrow(
      expect.objectContaining({
        code: 'data_folder_unwritable',
        message: expect.stringContaining(file),
      }),
    );
  });
});
