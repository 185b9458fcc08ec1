import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import type { Browser, Page } from 'playwright-core';
import { databaseSettings } from '../../db/database.config.js';
import { openDatabase } from '../../db/database.js';
import { startBrowser } from '../support/browser.js';
import { axeViolations, closePages, openPage } from '../support/element-page.js';
import { HubClient } from '../support/hub-client.js';
import { describeWith } from '../support/require-part.js';
import { type RunningStack, startStack } from '../support/stack.js';

/** Average molecular weights by Python RDKit, in g/mol. */
const weights = {
  aspirin: 180.159,
  caffeine: 194.194,
  paracetamol: 151.165,
  ibuprofen: 206.285,
  artemisinin: 282.336,
};
const molecules = `smiles,name
CC(=O)Oc1ccccc1C(=O)O,aspirin
Cn1c(=O)c2c(ncn2C)n(C)c1=O,caffeine
CC(=O)Nc1ccc(O)cc1,paracetamol
CC(C)Cc1ccc(cc1)C(C)C(=O)O,ibuprofen
C[C@@H]1CC[C@H]2[C@@H](C)C(=O)O[C@@H]3O[C@@]4(C)CC[C@@H]1[C@@]23OO4,artemisinin
`;
/** A first instance has to start, or one that was stopped in the middle of its work has to go. */
const doneWithin = { timeout: 30_000 };
/** More than all waits of a test together: each says what it waited for, this limit does not. */
const testMs = 240_000;

describeWith(
  'browser',
  'postgres',
  'temporal',
)('the page on a whole hub', () => {
  let browser: Browser;
  let stack: RunningStack;

  beforeAll(async () => {
    [browser, stack] = await Promise.all([startBrowser(), startStack()]);
  }, 90_000);
  afterAll(async () => {
    await browser?.close();
    await stack?.stop();
  }, 30_000);
  afterEach(() => closePages(browser));

  const pasteAndSubmit = async (page: Page) => {
    await page.getByRole('radio', { name: /eos-physchem/ }).check();
    await page.getByLabel(/SMILES, one per line/).fill(molecules);
    await page.getByText('5 rows. No problem found.').waitFor();
    expect(await axeViolations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Run the model' }).click();
  };
  const downloadCsv = async (page: Page) => {
    const button = page.getByRole('button', { name: 'Download CSV' });
    await button.waitFor(doneWithin);
    const [download] = await Promise.all([page.waitForEvent('download'), button.click()]);
    const text = await readFile(await download.path(), 'utf8');
    const rows: Record<string, string>[] = parse(text, { columns: true });
    return { name: download.suggestedFilename(), rows };
  };

  it(
    'takes a guest from five molecules to their values',
    async () => {
      const page = await openPage(browser);
      await page.goto(stack.url);
      await page.getByRole('button', { name: 'Continue as guest' }).click();
      await pasteAndSubmit(page);
      await page.waitForURL(/\/requests\/\d+$/);
      const { name, rows } = await downloadCsv(page);
      expect(name).toMatch(/^eos-physchem-\d+-.*\.csv$/);
      expect(rows.map((row) => [row.name, Number(row.amw), row.status])).toEqual(
        Object.entries(weights).map(([drug, amw]) => [drug, expect.closeTo(amw, 3), 'ok']),
      );
      await page.getByRole('cell', { name: 'artemisinin' }).waitFor();
      await page.locator('.timeline li.done').nth(5).waitFor();
      await page.locator('.timeline time').nth(2).waitFor();
      expect(await page.locator('.timeline li').count()).toBe(6);
      expect(await axeViolations(page)).toEqual([]);
      await page.getByRole('link', { name: 'Requests' }).click();
      await page
        .getByRole('row', { name: /eos-physchem/ })
        .getByText('Done')
        .waitFor();
    },
    testMs,
  );

  it(
    'tells those who wait where they stand now, and why an instance does not start',
    async () => {
      const database = await openDatabase(databaseSettings.parse({ DATABASE_URL: stack.databaseUrl }));
      await database.rows(`update model set max_instances = 1 where id = 'eos-morgan'`);
      await database.rows(
        `update model set memory_request_mebibytes = 4000000, memory_limit_mebibytes = 4000000 where id = 'eos-solubility'`,
      );
      await database.close();
      const page = await openPage(browser);
      await page.goto(stack.url);
      await page.getByRole('button', { name: 'Continue as guest' }).click();
      const detail = (hasText: string | RegExp) => page.locator('.step-detail', { hasText });
      const submitTo = async (model: RegExp) => {
        await page.getByRole('radio', { name: model }).check();
        await page.getByLabel(/SMILES, one per line/).fill('CCO\n');
        await page.getByRole('button', { name: 'Run the model' }).click();
      };
      const [ada, bert] = [await HubClient.asGuest(stack.url), await HubClient.asGuest(stack.url)];
      const long = Array.from({ length: 60_000 }, (_, index) => `${'C'.repeat((index % 40) + 1)}O`);
      const running = await ada.submitEntries('eos-morgan', long, false);
      const next = await bert.submitEntries('eos-morgan', long, false);
      await submitTo(/eos-morgan/);
      await detail('All instances of this model are busy').waitFor(doneWithin);
      await detail('Number 2 in line.').waitFor(doneWithin);
      await ada.cancel(running.id);
      await detail('Next in line.').waitFor(doneWithin);
      await bert.cancel(next.id);
      await page.getByRole('button', { name: 'Download CSV' }).waitFor(doneWithin);

      await page.goto(`${stack.url}/`);
      await submitTo(/eos-solubility/);
      await detail(/No node can take the instance yet: 0\/\d+ nodes are available: .*memory/).waitFor(
        doneWithin,
      );
      expect(await axeViolations(page)).toEqual([]);
    },
    testMs,
  );

  it('does not show a guest the request of another', async () => {
    const page = await openPage(browser);
    await page.goto(`${stack.url}/requests/1`);
    await page.getByRole('button', { name: 'Continue as guest' }).click();
    await page.getByRole('alert').getByText('Failed to load request with id [1].').waitFor();
  });

  it('says what is wrong with an input, by line, before anything is submitted', async () => {
    const page = await openPage(browser);
    await page.goto(`${stack.url}/models/eos-physchem`);
    await page.getByRole('button', { name: 'Continue as guest' }).click();
    await page.getByLabel(/SMILES, one per line/).fill('CCO ethanol\nCC(C propane\nCCO again\n');
    await page.getByText('3 rows. Not a molecule: 1. Duplicate: 1.').waitFor();
    await page.getByText('Line 2').waitFor();
    await page.getByRole('radio', { name: 'Yes' }).check();
    await page.getByText('2 rows.').waitFor();
  });
});
