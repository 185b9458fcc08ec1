import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * The compiled file of a thread that lies beside the asking source file (`import.meta.url`). Threads run outside
 * the test runner's transform, so sources run by tests use the build's file.
 * @throws Error when it was not built.
 */
export function threadFile(name: string, askedFrom: string): string {
  const beside = fileURLToPath(new URL(name, askedFrom));
  if (!askedFrom.endsWith('.ts')) return beside;
  const root = fileURLToPath(new URL('..', import.meta.url));
  const built = beside.replace(root, `${root}dist/`);
  if (!existsSync(built)) throw new Error(`${built} is missing: run npm run build before the tests`);
  return built;
}
