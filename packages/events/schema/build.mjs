// @ts-check
// Writes the published schema files: npm run build:schema
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { schemaFiles } from './generate.mjs';

for (const [name, text] of Object.entries(schemaFiles())) {
  writeFileSync(fileURLToPath(new URL(name, import.meta.url)), text);
  process.stdout.write(`wrote packages/events/schema/${name}\n`);
}
