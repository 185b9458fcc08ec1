import { resolve } from 'node:path';
import { defineConfig } from 'vite';

const folder = import.meta.dirname;
const outDir = process.env.HUB_WEB_OUT_DIR ?? resolve(folder, '../dist/web');

/**
 * Two builds into one folder: the page with hashed assets, and `elements.js`, one module with everything for embedding.
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
    },
  },
});
