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
