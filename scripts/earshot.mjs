// @ts-check
// `npm run earshot -- <command>` and, through start.mjs, `npm start`: set up, then the CLI.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT, setUp } from './setup.mjs';

setUp();
await import(pathToFileURL(path.join(ROOT, 'services', 'cli', 'dist', 'main.js')).href);
