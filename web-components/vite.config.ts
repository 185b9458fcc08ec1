import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { defineConfig } from 'vite';

const folder = import.meta.dirname;
const outDir = process.env.HUB_WEB_OUT_DIR ?? resolve(folder, '../dist/web');

/**
 * Two builds into one folder: the page with hashed assets, and `elements.js`, one module with everything for embedding;
 * each beside itself packed, as the hub serves it.
 */
export default defineConfig({
  root: resolve(folder, 'page'),
  base: '/',
  build: { target: 'es2022', outDir, emptyOutDir: true, sourcemap: true, modulePreload: false },
  environments: {
    client: {},
    elements: {
      consumer: 'client',
      build: {
        target: 'es2022',
        outDir,
        emptyOutDir: false,
        sourcemap: true,
        rolldownOptions: {
          input: resolve(folder, 'index.ts'),
          preserveEntrySignatures: 'strict',
          output: { format: 'es', entryFileNames: 'elements.js', codeSplitting: false },
        },
      },
    },
  },
  builder: {
    async buildApp(builder) {
      for (const name of ['client', 'elements'] as const) {
        const environment = builder.environments[name];
        if (environment) await builder.build(environment);
      }
      packFiles();
    },
  },
});

function packFiles(): void {
  const names = readdirSync(outDir, { recursive: true, encoding: 'utf8' });
  for (const path of names.filter((name) => /\.(js|css|html)$/.test(name)).map((name) => join(outDir, name)))
    writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
}
