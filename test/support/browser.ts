import sparticuz from '@sparticuz/chromium';
import { type Browser, chromium } from 'playwright-core';

/** The package's arguments are for a function service: these kill the second page or switch off what we test. */
const unwanted = ['--single-process', '--no-zygote', '--disable-web-security'];

/** Starts a real, headless Chromium: the one in CHROMIUM_PATH, else the npm package's. */
export async function startBrowser(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM_PATH || process.env.HUB_TEST_CHROMIUM;
  return chromium.launch({
    executablePath: executablePath || (await sparticuz.executablePath()),
    args: sparticuz.args.filter((argument) => !unwanted.includes(argument)),
    headless: true,
  });
}
