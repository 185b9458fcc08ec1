import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
/** WCAG 2.2 level AA and below, and axe's own good practice. */
const axeTags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** A fresh page in a context of its own (no storage shared with others) that fails the test on a script error. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(8000);
  page.on('pageerror', (error) => {
    throw error;
  });
  return page;
}

/** Ends what a test opened: a page left open would go on talking to the hub of the next test. */
export async function closePages(browser: Browser): Promise<void> {
  await Promise.all(browser.contexts().map((context) => context.close()));
}

/** Puts markup into the stub hub's fixture page, as a host page would hold it. */
export async function showMarkup(page: Page, hubUrl: string, markup: string): Promise<void> {
  await page.goto(`${hubUrl}/fixture`);
  await page.evaluate(`document.querySelector('main').innerHTML = ${JSON.stringify(markup)}`);
}

/** What axe finds wrong with the page as it is now, one line each; shadow trees included. */
export async function axeViolations(page: Page): Promise<string[]> {
  // A control that changes its colours would be judged by those on the way.
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.evaluate(await readFile(axePath, 'utf8'));
  const results = (await page.evaluate(
    `axe.run(document, { runOnly: ${JSON.stringify(axeTags)} })`,
  )) as AxeResults;
  return results.violations.map(
    ({ id, help, nodes }) => `${id}: ${help} (${nodes.map((node) => node.target.join(' ')).join('; ')})`,
  );
}

/** By how many pixels the page is wider than the window; 0 when nothing has to be scrolled sideways. */
export async function horizontalOverflow(page: Page): Promise<number> {
  return (await page.evaluate(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  )) as number;
}

/** The element that has the keyboard, through shadow roots: its role-giving tag and its text or value. */
export async function focused(page: Page): Promise<string> {
  return (await page.evaluate(`(() => {
    let element = document.activeElement;
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
    return element.localName + ' ' + (element.textContent || element.value || '').replace(/\\s+/g, ' ').trim();
  })()`)) as string;
}

/** Drags files from outside the browser onto an element; one that nobody takes opens in place of the page. */
export async function dropFiles(page: Page, target: Locator, paths: readonly string[]): Promise<void> {
  await target.scrollIntoViewIfNeeded();
  const box = await target.boundingBox();
  if (box === null) throw new Error('nothing can be dropped on an element that is not shown');
  const devTools = await page.context().newCDPSession(page);
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
    await devTools.send('Input.dispatchDragEvent', {
      type,
      x: box.x + box.width / 2,
      y: box.y + box.height / 2,
      data: { items: [], files: [...paths], dragOperationsMask: 1 },
    });
  await devTools.detach();
}
