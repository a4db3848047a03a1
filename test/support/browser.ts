/** A real browser for the tests that need one: Chromium, of which each process of tests has one. */
import { existsSync } from 'node:fs';
import { after } from 'node:test';
import { type Browser, chromium } from 'playwright-core';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Why tests are skipped here; false where there is a browser. */
export const noBrowser: string | false = existsSync(executablePath)
  ? false
  : `${executablePath} is missing (Debian: apt-get install chromium; on other systems say CHROMIUM=/path)`;

const args = [
  '--no-sandbox', // containers run as root
  // the rest keeps it from asking the network for anything
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-sync',
  '--disable-background-networking',
  '--disable-component-update',
  '--host-resolver-rules=MAP *.test 127.0.0.1',
];

let browser: Promise<Browser> | undefined;
after(async () => (await browser)?.close());

/** The browser, which is closed after all tests of the process; pages are for their tests to close. */
export function startBrowser(): Promise<Browser> {
  browser ??= chromium.launch({ executablePath, args, timeout: 30_000 });
  return browser;
}
