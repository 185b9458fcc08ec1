/**
 * Adds stub entries for optional packages of other platforms to package-lock.json, so that `npm ci` accepts a lock
 * made where the registry has no such packages. Run it after every `npm install` that changes the lock.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const lockFile = 'package-lock.json';
const systems = [
  'darwin',
  'win32',
  'windows',
  'linux',
  'android',
  'freebsd',
  'openharmony',
  'sunos',
  'aix',
  'openbsd',
  'netbsd',
];
const processors = /arm64|x64|ia32|ppc64le|ppc64|s390x|riscv64|loong64|mips64el|arm(?=$|-|eabi)/;

/** Is `name` reachable from the package at `from`, walking up as Node does? */
function isLocked(packages, from, name) {
  for (
    let place = from;
    ;
    place = place.includes('/node_modules/') ? place.slice(0, place.lastIndexOf('/node_modules/')) : ''
  ) {
    if (packages[`${place ? `${place}/` : ''}node_modules/${name}`]) return true;
    if (!place) return false;
  }
}

/** Platform limits as the package's name spells them; the registry that made this lock could not be asked. */
function platformOf(name) {
  const spelled = name.split('/').pop();
  const os = systems.find((system) => spelled.includes(system));
  const cpu = spelled.match(processors)?.[0];
  return {
    ...(cpu && { cpu: [cpu] }),
    os: [os === 'windows' ? 'win32' : (os ?? 'none')],
    ...(os === 'linux' && spelled.includes('musl') && { libc: ['musl'] }),
    ...(os === 'linux' && spelled.includes('gnu') && { libc: ['glibc'] }),
  };
}

const lock = JSON.parse(readFileSync(lockFile, 'utf8'));
let added = 0;
for (const [place, entry] of Object.entries(lock.packages)) {
  for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
    if (place === '' || isLocked(lock.packages, place, name)) continue;
    lock.packages[`node_modules/${name}`] = {
      version: range.replace(/^[^\d]*/, ''),
      ...platformOf(name),
      ...(entry.dev && { dev: true }),
      optional: true,
    };
    added += 1;
  }
}
lock.packages = Object.fromEntries(
  Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
);
writeFileSync(lockFile, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`added ${added}`);
