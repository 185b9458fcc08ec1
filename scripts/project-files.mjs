import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Every file of the working tree that is committed or could be: tracked or not, but not ignored. */
export function projectFiles() {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    encoding: 'utf8',
  });
  return [...new Set(listed.split('\0'))].filter((path) => path !== '' && existsSync(path));
}
