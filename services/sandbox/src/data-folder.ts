import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { CloseStack } from '@earshot/async';
import { CodedError } from '@earshot/async';

/**
 * Writes the certificate that clients have to trust.
 *
 * @param folder kept; a folder of its own, removed by `closers`, when absent.
 * @returns the file's path.
 * @throws CodedError `data_folder_unwritable`
 */
export async function writeCaFile(
  folder: string | undefined,
  certificate: string,
  closers: CloseStack,
): Promise<string> {
  const target = folder ?? (await temporaryFolder(closers));
  const file = path.join(target, 'graph-ca.pem');
  try {
    await mkdir(target, { recursive: true });
    await writeFile(file, certificate);
  } catch (error) {
    const actual = error instanceof Error ? error.message : String(error);
    throw new CodedError(
      'data_folder_unwritable',
      `Cannot start the sandbox: EARSHOT_DATA_DIR must be a folder that can be written, got ${actual}`,
      { cause: error },
    );
  }
  return file;
}

async function temporaryFolder(closers: CloseStack): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'earshot-sandbox-'));
  closers.defer(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
