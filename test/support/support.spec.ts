import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { Connection } from '@temporalio/client';
import pg from 'pg';
import { startBrowser } from './browser.js';
import { isPartChosen } from './chosen-specs.js';
import { freshDatabase, type TestDatabase } from './database.js';
import { describeWith, requirePart } from './require-part.js';
import { startDevServer, startTimeSkipping } from './temporal.js';

describeWith('postgres')('a fresh database', () => {
  const databases: TestDatabase[] = [];
  afterAll(() => Promise.all(databases.map((database) => database.drop())));

  it("has the tables of the migrations and is nobody else's", async () => {
    databases.push(...(await Promise.all([freshDatabase(), freshDatabase(), freshDatabase()])));
    const [first, second] = databases.map(({ url }) => new pg.Client({ connectionString: url }));
    await first?.connect();
    await second?.connect();
    await first?.query('create table only_here (id integer)');
    const tables = await second?.query<{ tablename: string }>(
      `select tablename from pg_tables where schemaname = 'public'`,
    );
    const names = tables?.rows.map(({ tablename }) => tablename);
    expect(names).toContain('work_request');
    expect(names).not.toContain('only_here');
    await first?.end();
    await second?.end();
  });
});

describeWith('temporal')('the development server', () => {
  it('serves, and serves again after a crash', async () => {
    const server = await startDevServer();
    try {
      for (const action of [async () => undefined, () => server.crashAndRestart()]) {
        await action();
        const connection = await Connection.connect({ address: server.address });
        await connection.workflowService.describeNamespace({ namespace: server.namespace });
        await connection.close();
      }
    } finally {
      await server.stop();
    }
  });
});

describeWith('time-skipping')('the time-skipping server', () => {
  it('skips a day in no time', async () => {
    const environment = await startTimeSkipping();
    const before = performance.now();
    await environment.sleep('1 day');
    await environment.teardown();
    expect(performance.now() - before).toBeLessThan(5000);
  });
});

describeWith('browser')('the browser', () => {
  it('renders two pages', async () => {
    const browser = await startBrowser();
    for (const text of ['one', 'two']) {
      const page = await browser.newPage();
      await page.setContent(`<p>${text}</p>`);
      expect(await page.textContent('p')).toBe(text);
    }
    await browser.close();
  });
});

describe('a part that is missing', () => {
  const original = { ...process.env };
  afterEach(() => {
    for (const name of ['HUB_REQUIRE', 'HUB_TEST_MISSING']) {
      if (original[name] === undefined) delete process.env[name];
      else process.env[name] = original[name];
    }
  });

  it('fails the spec when HUB_REQUIRE names it', () => {
    process.env.HUB_REQUIRE = 'postgres, temporal';
    process.env.HUB_TEST_MISSING = JSON.stringify({ temporal: 'no way out' });
    expect(() => requirePart('temporal')).toThrow(
      'HUB_REQUIRE asks for temporal, but it is missing: no way out',
    );
    expect(requirePart('postgres')).toBe(true);
  });

  it('leaves the spec out when HUB_REQUIRE does not name it', () => {
    process.env.HUB_REQUIRE = 'postgres';
    process.env.HUB_TEST_MISSING = JSON.stringify({ temporal: 'no way out' });
    expect(requirePart('temporal')).toBe(false);
  });
});

describe('a part that takes minutes to make', () => {
  const choose = (path: RegExp, testPathIgnorePatterns: readonly string[] = []) =>
    isPartChosen('kubernetes', {
      rootDir: process.cwd(),
      testPathPatterns: { toExecutor: () => ({ isMatch: (file) => path.test(file) }) },
      testPathIgnorePatterns,
    });

  it('is made when a chosen spec needs it', () => {
    expect(choose(/./)).toBe(true);
    expect(choose(/test\/hosts\/kubernetes-model-host/)).toBe(true);
  });

  it('is not made for specs that do without it', () => {
    expect(choose(/domain\//)).toBe(false);
    expect(choose(/./, ['/test/'])).toBe(false);
  });
});
