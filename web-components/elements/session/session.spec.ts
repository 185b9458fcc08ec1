import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { startBrowser } from '../../../test/support/browser.js';
import { axeViolations, closePages, openPage, showMarkup } from '../../../test/support/element-page.js';
import { describeWith } from '../../../test/support/require-part.js';
import { StubHub } from '../../../test/support/stub-hub.js';
import { sampleLogin, sampleModel } from '../../../test/support/wire-samples.js';

const markup = '<h1>Host page</h1><hub-session persist><hub-model-list></hub-model-list></hub-session>';

/** A session that has to be renewed one second after it began. */
const shortLogin = () => {
  const login = sampleLogin('short-token');
  return { ...login, session: { ...login.session, session_max_age_seconds: 2 } };
};

describeWith('browser')('<hub-session>', () => {
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
    hub.on('POST /api/auth/anonymous-login', { body: sampleLogin() });
    hub.on('GET /api/models', { body: { items: [sampleModel()] } });
  });

  it('starts a guest session with one click and gives its token to what is inside', async () => {
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    expect(await axeViolations(page)).toEqual([]);
    expect(hub.calls).toHaveLength(0);
    await page.getByRole('button', { name: 'Continue as guest' }).click();
    await page.getByText('Physicochemical descriptors').waitFor();
    const [call] = hub.callsOf('GET /api/models');
    expect(call?.headers.authorization).toBe('Bearer guest-token');
    expect(call?.headers.cookie).toBeUndefined();
    expect(await axeViolations(page)).toEqual([]);
  });

  it('tells the host page who signed in', async () => {
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    await page.evaluate(
      "addEventListener('hub-session-changed', (event) => { document.title = event.detail.state; })",
    );
    await page.getByRole('button', { name: 'Continue as guest' }).click();
    await page.waitForFunction("document.title === 'guest'");
  });

  it('signs in with a name and a password that hold colons and umlauts', async () => {
    const login = sampleLogin('user-token');
    hub.on('POST /api/auth/login', {
      body: { ...login, session: { ...login.session, auth_type: 'ErsiliaUser' } },
    });
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    await page.getByLabel('User name').fill('ada');
    await page.getByLabel('Password').fill('grün:ist:lang:genug');
    await page.keyboard.press('Enter');
    await page.getByText('Physicochemical descriptors').waitFor();
    const sent = JSON.parse(hub.callsOf('POST /api/auth/login')[0]?.body ?? '{}') as { encoding: string };
    expect(Buffer.from(sent.encoding, 'base64').toString('utf8')).toBe('ada:grün:ist:lang:genug');
  });

  it('says why signing in failed and keeps the name', async () => {
    hub.on('POST /api/auth/login', { status: 400, body: { detail: 'Invalid username or password' } });
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    await page.getByLabel('User name').fill('ada');
    await page.getByLabel('Password').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').getByText('Invalid username or password.').waitFor();
    expect(await page.getByLabel('User name').inputValue()).toBe('ada');
    expect(await axeViolations(page)).toEqual([]);
  });

  it('is still signed in after a reload and in a second tab, and signs out in both', async () => {
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    await page.getByRole('button', { name: 'Continue as guest' }).click();
    await page.getByText('Physicochemical descriptors').waitFor();
    const second = await page.context().newPage();
    await showMarkup(second, hub.url, markup);
    await second.getByText('Physicochemical descriptors').waitFor();
    expect(hub.callsOf('POST /api/auth/anonymous-login')).toHaveLength(1);
    hub.on('POST /api/auth/logout', { body: { status: 'ok' } });
    await second.evaluate("document.querySelector('hub-session').signOut()");
    await page.getByRole('button', { name: 'Continue as guest' }).waitFor();
  });

  it('renews the session at half its life without anybody noticing', async () => {
    hub.on('POST /api/auth/anonymous-login', { body: shortLogin() });
    hub.on('POST /api/auth/session/refresh', { body: sampleLogin('renewed-token').session });
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    await page.getByRole('button', { name: 'Continue as guest' }).click();
    await page.getByText('Physicochemical descriptors').waitFor();
    await page.waitForFunction("Object.values(localStorage).join().includes('renewed-token')");
    await page.evaluate("document.querySelector('hub-model-list').reload()");
    expect(hub.callsOf('GET /api/models').map(({ headers }) => headers.authorization)).toEqual([
      'Bearer short-token',
      'Bearer renewed-token',
    ]);
  });

  it('waits for a renewal under way before it takes a refused token for the end', async () => {
    hub.on('POST /api/auth/anonymous-login', { body: shortLogin() });
    let renew = (): void => undefined;
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    await new Promise<void>((asked) => {
      hub.on('POST /api/auth/session/refresh', async () => {
        asked();
        await new Promise<void>((resolve) => (renew = resolve));
        return { body: sampleLogin('renewed-token').session };
      });
      void page.getByRole('button', { name: 'Continue as guest' }).click();
    });
    hub.on('GET /api/models', ({ headers }) =>
      headers.authorization === 'Bearer renewed-token'
        ? { body: { items: [sampleModel('eos-new', 'Another model')] } }
        : { status: 401, body: { detail: 'Unauthenticated' } },
    );
    const refused = page.waitForResponse((response) => response.status() === 401);
    const reloaded = page.evaluate("document.querySelector('hub-model-list').reload()");
    await refused;
    renew();
    await reloaded;
    await page.getByText('Another model').waitFor();
    expect(await page.getByText('Your session has ended').count()).toBe(0);
  });

  it('goes on renewing after it was moved in the page', async () => {
    hub.on('POST /api/auth/anonymous-login', { body: shortLogin() });
    hub.on('POST /api/auth/session/refresh', { body: sampleLogin('renewed-token').session });
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup.replace('persist', ''));
    const renewed = page.waitForResponse((response) => response.url().endsWith('/session/refresh'));
    await page.getByRole('button', { name: 'Continue as guest' }).click();
    await page.getByText('Physicochemical descriptors').waitFor();
    await page.evaluate("document.body.append(document.querySelector('hub-session'))");
    expect((await renewed).status()).toBe(200);
  });

  it('shows its token to no other hub', async () => {
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    await page.getByRole('button', { name: 'Continue as guest' }).click();
    await page.getByText('Physicochemical descriptors').waitFor();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.evaluate("document.querySelector('hub-session').baseUrl = 'http://another.invalid'");
    await page.getByRole('button', { name: 'Continue as guest' }).waitFor();
    expect(await page.getByText('Physicochemical descriptors').isVisible()).toBe(false);
    expect(asked).toEqual([]);
  });

  it('works, for as long as the page is open, where the browser lets it keep nothing', async () => {
    const page = await openPage(browser);
    await page.addInitScript(`Object.defineProperty(window, 'localStorage', {
      get() { throw new DOMException('Access is denied for this document.', 'SecurityError'); },
    });
    addEventListener('error', ({ message }) => { document.title = message; });`);
    await showMarkup(page, hub.url, markup);
    await page.getByRole('button', { name: 'Continue as guest' }).click();
    await page.getByText('Physicochemical descriptors').waitFor();
    expect(await page.title()).toBe('Fixture');
  });

  it('leaves what is inside to the looks of the page', async () => {
    const page = await openPage(browser);
    await showMarkup(page, hub.url, '<hub-session token="t"><p>Mine</p></hub-session>');
    await page.addStyleTag({ content: 'body { font: italic 30px serif; text-transform: uppercase }' });
    expect(
      await page.evaluate(`(() => {
        const { fontStyle, fontFamily, textTransform } = getComputedStyle(document.querySelector('p'));
        return [fontStyle, fontFamily, textTransform];
      })()`),
    ).toEqual(['italic', 'serif', 'uppercase']);
  });

  it('asks to sign in again, in place, when the hub refuses the token', async () => {
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    await page.getByRole('button', { name: 'Continue as guest' }).click();
    await page.getByText('Physicochemical descriptors').waitFor();
    hub.on('GET /api/models', { status: 401, body: { detail: 'Unauthorized' } });
    await page.evaluate("document.querySelector('hub-model-list').reload()");
    await page.getByRole('heading', { name: 'Your session has ended' }).waitFor();
    expect(await page.getByText('Physicochemical descriptors').isVisible()).toBe(true);
    expect(await axeViolations(page)).toEqual([]);
    hub.on('GET /api/models', { body: { items: [sampleModel('eos-new', 'Another model')] } });
    await page.getByRole('button', { name: 'Continue as guest' }).click();
    await page.getByText('Another model').waitFor();
  });

  it('asks nobody to sign in when the host page gives a token', async () => {
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup.replace('persist', 'token="from-the-host"'));
    await page.getByText('Physicochemical descriptors').waitFor();
    expect(hub.calls.map(({ headers }) => headers.authorization)).toEqual(['Bearer from-the-host']);
  });
});
