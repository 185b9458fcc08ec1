import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { repositoryRoot } from '../../../local/repository.js';
import { startBrowser } from '../../../test/support/browser.js';
import {
  axeViolations,
  closePages,
  dropFiles,
  focused,
  horizontalOverflow,
  openPage,
} from '../../../test/support/element-page.js';
import { describeWith } from '../../../test/support/require-part.js';
import { StubHub } from '../../../test/support/stub-hub.js';
import {
  sampleEvent,
  sampleLogin,
  sampleModel,
  sampleRequest,
  sampleVerdict,
} from '../../../test/support/wire-samples.js';

/** Bytes of the page, its script and its style, as a browser gets them packed. */
const firstLoadLimit = 40_000;

describe('the built page', () => {
  it('needs at most 40 kB packed for its first load, and asks no other host', () => {
    const folder = join(repositoryRoot(), 'dist/web');
    const packed = readdirSync(join(folder, 'assets')).filter((name) => name.endsWith('.gz'));
    const files = ['index.html.gz', ...packed.map((name) => join('assets', name))].map((name) =>
      readFileSync(join(folder, name)),
    );
    const bytes = files.reduce((sum, file) => sum + file.length, 0);
    expect(bytes).toBeGreaterThan(5000);
    expect(bytes).toBeLessThanOrEqual(firstLoadLimit);
    expect(readFileSync(join(folder, 'elements.js.gz')).length).toBeLessThanOrEqual(firstLoadLimit);
    // Libraries bring more code, and talk to the console, where they are built for their developers.
    expect(files.map((file) => gunzipSync(file).toString()).join('')).not.toContain('dev mode');
  });
});

describeWith('browser')('<hub-app>', () => {
  let browser: Browser;
  let hub: StubHub;

  beforeAll(async () => {
    [browser, hub] = await Promise.all([startBrowser(), StubHub.start()]);
  });
  afterAll(async () => {
    await browser?.close();
    await hub?.close();
  });
  afterEach(() => closePages(browser));
  beforeEach(() => {
    hub.reset();
    hub.stream('/api/work-requests/42/events');
    hub.on('POST /api/auth/anonymous-login', { body: sampleLogin() });
    hub.on('GET /api/models', { body: { items: [sampleModel(), sampleModel('eos-morgan', 'Morgan')] } });
    hub.on('GET /api/models/eos-physchem', { body: sampleModel() });
    hub.on('POST /api/work-requests/check', { body: sampleVerdict() });
    hub.on('POST /api/work-requests', { body: sampleRequest() });
    hub.on('GET /api/work-requests', { body: { items: [sampleRequest()], next_cursor: null } });
  });

  const enter = async (path = '/', options = {}): Promise<Page> => {
    const page = await openPage(browser, options);
    await page.goto(hub.url + path);
    await page.getByRole('button', { name: 'Continue as guest' }).click();
    await page.getByText('Guest', { exact: true }).waitFor();
    return page;
  };
  const pathOf = (page: Page) => new URL(page.url()).pathname;

  it('asks only its own host', async () => {
    const page = await openPage(browser);
    const hosts = new Set<string>();
    page.on('request', (request) =>
      hosts.add(new URL(request.url()).protocol === 'data:' ? 'data' : new URL(request.url()).origin),
    );
    await page.goto(hub.url);
    await page.getByRole('button', { name: 'Continue as guest' }).click();
    await page.getByText('Physicochemical descriptors').waitFor();
    hosts.delete('data');
    expect([...hosts]).toEqual([hub.url]);
  });

  it('submits by keyboard alone, from the first Tab to the new request', async () => {
    const page = await openPage(browser);
    await page.goto(hub.url);
    await page.getByRole('button', { name: 'Continue as guest' }).waitFor();
    const tabTo = async (wanted: string) => {
      for (let presses = 0; presses < 30; presses += 1) {
        await page.keyboard.press('Tab');
        if ((await focused(page)).startsWith(wanted)) return;
      }
      throw new Error(`Tab does not lead to ${wanted}; it ended at ${await focused(page)}`);
    };
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('button Skip to content');
    await page.keyboard.press('Enter');
    await tabTo('button Continue as guest');
    await page.keyboard.press('Enter');
    await page.getByRole('radio', { name: /Physico/ }).waitFor();
    await tabTo('input');
    await page.keyboard.press('Space');
    await tabTo('textarea');
    await page.keyboard.type('CCO');
    await page.getByText('3 rows.').waitFor();
    await tabTo('button Run the model');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/requests/42');
    expect(hub.callsOf('POST /api/work-requests')[0]?.query.get('model_id')).toBe('eos-physchem');
    expect(await focused(page)).toContain('main');
  });

  it('has an address for every view, and back works', async () => {
    const page = await enter();
    await page.getByRole('link', { name: 'Requests' }).click();
    await page.getByRole('link', { name: 'Request 42' }).click();
    expect(pathOf(page)).toBe('/requests/42');
    expect(await page.title()).toBe('Request 42 · Model hub');
    await page.goBack();
    await page.getByRole('heading', { name: 'Your requests' }).waitFor();
    await page.goBack();
    await page.getByRole('heading', { name: 'Run a model on your molecules' }).waitFor();
    await page.goto(`${hub.url}/models/eos-physchem`);
    await page.getByRole('heading', { name: 'Physicochemical descriptors' }).waitFor();
    await page.goto(`${hub.url}/nowhere/at/all`);
    await page.getByRole('heading', { name: 'There is nothing here' }).waitFor();
    expect(await axeViolations(page)).toEqual([]);
  });

  it.each([
    ['/models/gone', 'Model gone', 'GET /api/models/gone'],
    ['/requests/7', 'Request 7', 'GET /api/work-requests/7/events'],
  ])('says at %s what could not be found', async (path, heading, call) => {
    hub.on(call, { status: 404, body: { detail: 'There is none.' } });
    const page = await enter(path);
    await page.getByRole('heading', { level: 1, name: heading }).waitFor();
    await page.getByRole('alert').getByText('There is none.').waitFor();
    expect(await axeViolations(page)).toEqual([]);
  });

  it('keeps the browser from opening a file that is dropped beside the form', async () => {
    const page = await enter();
    await page.evaluate(`addEventListener('dragover', (event) => {
      document.title = event.defaultPrevented + ' ' + event.dataTransfer.dropEffect;
    })`);
    const beside = page.getByRole('heading', { name: 'Run a model on your molecules' });
    await dropFiles(page, beside, [join(repositoryRoot(), 'examples/five-molecules.csv')]);
    await page.waitForFunction("document.title === 'true none'");
    expect(await page.locator('.file-name').count()).toBe(0);
  });

  it('forgets the person after signing out', async () => {
    hub.on('POST /api/auth/logout', { body: { status: 'ok' } });
    const page = await enter('/requests');
    await page.getByText('Request 42').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Continue as guest' }).waitFor();
    expect(await focused(page)).toContain('main');
    expect(await page.getByText('Request 42').count()).toBe(0);
    expect(await page.evaluate('localStorage.length')).toBe(0);
  });

  it.each(['Run a model', 'Requests'])(
    'leaves nothing of what was typed to the next person, signed out at %s',
    async (place) => {
      hub.on('POST /api/auth/logout', { body: { status: 'ok' } });
      const page = await enter();
      await page.getByRole('textbox').fill('CCO');
      await page.getByText('3 rows.').waitFor();
      await page.getByRole('link', { name: place, exact: true }).click();
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByRole('button', { name: 'Continue as guest' }).click();
      await page.getByRole('link', { name: 'Run a model', exact: true }).click();
      expect(await page.getByRole('textbox').inputValue()).toBe('');
      expect(await page.evaluate('sessionStorage.length')).toBe(0);
    },
  );

  const looks = [360, 1440].flatMap((width) =>
    (['light', 'dark'] as const).map((colorScheme) => ({ width, colorScheme })),
  );
  it.each(looks)(
    'is accessible and fits at $width px, $colorScheme, in every view',
    async ({ width, colorScheme }) => {
      const page = await openPage(browser, { viewport: { width, height: 800 }, colorScheme });
      const holds = async (view: string) => {
        expect([view, await axeViolations(page)]).toEqual([view, []]);
        expect([view, await horizontalOverflow(page)]).toEqual([view, 0]);
      };
      await page.goto(hub.url);
      await page.getByRole('button', { name: 'Continue as guest' }).waitFor();
      await holds('welcome');
      await page.getByRole('button', { name: 'Continue as guest' }).click();
      await page.getByRole('radio', { name: /Physico/ }).check();
      await holds('form');
      await page.getByRole('button', { name: 'Use five known drugs' }).click();
      await page.getByText('3 rows.').waitFor();
      await holds('verdict');
      await page.getByRole('button', { name: 'Run the model' }).click();
      await hub.untilConnected();
      hub.send('snapshot', sampleRequest(), 1);
      hub.send('progress', sampleEvent(4, 'progress', { rows_done: 400 }), 4);
      await page.getByText('400 of 1,200 rows', { exact: true }).waitFor();
      await holds('status');
      await page.getByRole('link', { name: 'Requests' }).click();
      await page.getByText('Request 42').waitFor();
      await holds('list');
      await page.goto(`${hub.url}/models/eos-physchem`);
      await page.getByText('Version').waitFor();
      await holds('model');
    },
    60_000,
  );

  it('keeps its shapes in forced colours', async () => {
    const page = await enter('/requests/42', { forcedColors: 'active' });
    await hub.untilConnected();
    hub.send('snapshot', sampleRequest(), 1);
    await page.locator('li[aria-current=step]', { hasText: 'Queued' }).waitFor();
    expect(await axeViolations(page)).toEqual([]);
  });
});
