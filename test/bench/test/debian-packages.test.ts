import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { libraryFolders } from '../src/dtmf/debian-packages.js';

it('libraries of unpacked packages are found in folders of their own, too', async () => {
  const root = await mkdtemp(path.join(os.tmpdir(), 'earshot-'));
  onTestFinished(() => rm(root, { recursive: true }));
  const lib = path.join(root, 'usr', 'lib', 'x86_64-linux-gnu');
  await mkdir(path.join(lib, 'pulseaudio'), { recursive: true });
  await mkdir(path.join(lib, 'docs'));
  await writeFile(path.join(lib, 'libpulse.so.0'), '');
  await writeFile(path.join(lib, 'pulseaudio', 'libpulsecommon-16.1.so'), '');
  await writeFile(path.join(lib, 'docs', 'about.txt'), '');
  expect((await libraryFolders(root)).sort()).toEqual([lib, path.join(lib, 'pulseaudio')]);
  expect(await libraryFolders(path.join(root, 'nowhere'))).toEqual([]);
});
