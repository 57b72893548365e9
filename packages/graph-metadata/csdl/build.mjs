// @ts-check
// Writes the module made from Graph's metadata: npm run build:csdl
import { readFileSync, writeFileSync } from 'node:fs';
import { CSDL_FILE, csdlModule, MODULE_FILE } from './generate.mjs';

writeFileSync(MODULE_FILE, csdlModule(readFileSync(CSDL_FILE, 'utf8')));
process.stdout.write('wrote packages/graph-metadata/src/csdl.generated.ts\n');
