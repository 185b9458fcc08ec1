/** What we take from others: exact versions, a lock that holds all of them, reviewed install scripts, free licences. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

interface LockedPackage {
  readonly version?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
}

const readJson = <Shape>(path: string): Shape => JSON.parse(readFileSync(path, 'utf8')) as Shape;
const manifest = readJson<{
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  allowScripts: Record<string, boolean>;
}>('package.json');
const locked = Object.entries(
  readJson<{ packages: Record<string, LockedPackage> }>('package-lock.json').packages,
).filter(([place]) => place !== '');
const places = new Set(locked.map(([place]) => place));
const nameOf = (place: string) => place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);

/** Where Node would find `name` from the package at `place`, by the lock; undefined when it is not locked. */
function findLocked(place: string, name: string): string | undefined {
  for (let from = place; ; from = from.slice(0, from.lastIndexOf('/node_modules/'))) {
    const candidate = from === '' ? `node_modules/${name}` : `${from}/node_modules/${name}`;
    if (places.has(candidate)) return candidate;
    if (!from.includes('/node_modules/'))
      return places.has(`node_modules/${name}`) ? `node_modules/${name}` : undefined;
  }
}

describe('package.json', () => {
  it('pins every dependency to one exact version', () => {
    const loose = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }).filter(
      ([, version]) => !/^(npm:[@\w/.-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version),
    );
    expect(loose).toEqual([]);
  });

  it('says of every install script in the lock whether it may run', () => {
    const unreviewed = locked
      .filter(([, entry]) => entry.hasInstallScript)
      .map(([place]) => nameOf(place))
      .filter((name) => !(name in manifest.allowScripts));
    expect(unreviewed).toEqual([]);
  });
});

describe('package-lock.json', () => {
  it('locks what package.json asks for, in that version', () => {
    const asked = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
    const wrong = asked.filter(([name, version]) => {
      const entry = locked.find(([place]) => place === `node_modules/${name}`)?.[1];
      return entry?.version !== version.replace(/^npm:.*@/, '');
    });
    expect(wrong).toEqual([]);
  });

  it('holds every dependency of every package, those of other platforms too', () => {
    const missing = locked.flatMap(([place, entry]) =>
      Object.keys({ ...entry.dependencies, ...entry.optionalDependencies })
        .filter((name) => findLocked(place, name) === undefined)
        .map((name) => `${place} needs ${name}: run node scripts/complete-lock.mjs`),
    );
    expect(missing).toEqual([]);
  });

  it('names no registry, so that any mirror can serve it', () => {
    expect(readFileSync('package-lock.json', 'utf8')).not.toMatch(/"resolved": "https?:/);
  });
});

const allowedLicences = [
  'MIT',
  'ISC',
  '0BSD',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'CC-BY-4.0',
  'Python-2.0',
  'Unlicense',
];
/** Packages whose manifest says nothing; what their own text says was read. */
const readByHand: Readonly<Record<string, string>> = { pause: 'MIT', unionfs: 'Unlicense' };

interface InstalledPackage {
  readonly license?: string;
  readonly licenses?: readonly { readonly type: string }[];
}

/** The licences of an installed package, all of which must be allowed; an older manifest form is a list. */
function licencesOf(place: string): readonly string[] {
  const { license, licenses } = readJson<InstalledPackage>(`${place}/package.json`);
  const listed = license ?? licenses ?? readByHand[nameOf(place)] ?? 'none stated';
  const texts =
    typeof listed === 'string' ? [listed] : (listed as readonly { type: string }[]).map(({ type }) => type);
  return texts.flatMap((text) => text.replaceAll(/[()]/g, '').split(' AND '));
}

describe('the packages that ship', () => {
  const installed = locked.filter(([place, entry]) => !entry.dev && existsSync(`${place}/package.json`));

  it('are many enough that this test looks at the real tree', () => {
    expect(installed.length).toBeGreaterThan(200);
  });

  it('have licences that let anyone use the hub', () => {
    const refused = installed.flatMap(([place]) =>
      licencesOf(place)
        .filter((licence) => !licence.split(' OR ').some((choice) => allowedLicences.includes(choice)))
        .map((licence) => `${place}: ${licence}`),
    );
    expect(refused).toEqual([]);
  });
});
