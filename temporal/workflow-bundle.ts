import { fileURLToPath } from 'node:url';

/** Where the build puts the workflows' bundle: made once, so that workers start without a bundler. */
export function workflowBundlePath(): string {
  return fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));
}
