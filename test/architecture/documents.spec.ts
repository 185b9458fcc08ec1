/** Documents are kept true where a machine can see it: links lead somewhere, paths exist, decisions have their parts. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path !== '' && existsSync(path));
const documents = tracked.filter((path) => path.endsWith('.md'));
const decisions = documents.filter((path) => /^docs\/adr\/\d{4}-/.test(path));
const withoutCode = (text: string) => text.replaceAll(/^```[^]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '');

/** A heading's anchor as the usual renderers make it. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');

/** Links of a document that lead nowhere: missing files and missing headings. */
function brokenLinks(path: string): readonly string[] {
  const links = [
    ...withoutCode(readFileSync(path, 'utf8')).matchAll(/\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"/g),
  ];
  return links
    .map(([, markdown, html]) => markdown ?? html ?? '')
    .filter((target) => !/^(https?|mailto):/.test(target))
    .filter((target) => {
      const [file = '', anchor] = target.split('#');
      const place = file === '' ? path : join(dirname(path), file);
      if (!existsSync(place)) return true;
      if (anchor === undefined || !place.endsWith('.md')) return false;
      const headings = [...readFileSync(place, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, text = '']) =>
        anchorOf(text),
      );
      return !headings.includes(anchor);
    });
}

/** Paths in backticks that begin with a folder of this repository; with a `*` one file must match. */
function missingPaths(path: string): readonly string[] {
  const folders = new Set(tracked.filter((file) => file.includes('/')).map((file) => file.split('/')[0]));
  const text = readFileSync(path, 'utf8').replaceAll(/^```[^]*?^```/gm, '');
  const named = [...text.matchAll(/`((?:[\w.-]+\/)+[\w.*{},-]*)`/g)].map(([, name = '']) => name);
  return named
    .filter((name) => folders.has(name.split('/')[0] ?? ''))
    .filter((name) => {
      const pattern = new RegExp(
        `^${name.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}${name.endsWith('/') ? '' : '(/|$)'}`,
      );
      return !tracked.some((file) => pattern.test(file));
    });
}

describe.each(documents)('%s', (path) => {
  it('has no broken link', () => expect(brokenLinks(path)).toEqual([]));
  it('names no file that is not there', () => expect(missingPaths(path)).toEqual([]));
});

describe('decisions', () => {
  it('are numbered without a gap', () => {
    const numbers = decisions.map((path) => Number(path.slice('docs/adr/'.length, 'docs/adr/0000'.length)));
    expect(numbers.length).toBeGreaterThan(0);
    expect(numbers.toSorted((a, b) => a - b)).toEqual(numbers.map((_, index) => index + 1));
  });

  it.each(decisions)('%s says context, decision, alternatives and consequences', (path) => {
    const headings = [...readFileSync(path, 'utf8').matchAll(/^## (.+)$/gm)].map(([, text]) => text);
    expect(headings).toEqual(['Context', 'Decision', 'Alternatives', 'Consequences']);
  });

  it.each(decisions)('%s is listed in the architecture document', (path) => {
    expect(readFileSync('docs/architecture.md', 'utf8')).toContain(path.slice('docs/'.length));
  });
});
