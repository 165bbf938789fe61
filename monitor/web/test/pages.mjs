// Looks at each page of a dashboard in headless Chromium, as a person would: nothing may
// be said on the console, axe may find nothing serious, and what is expected must be
// there. Prints what is wrong, one a line; nothing: all is well.
//
//   node pages.mjs URL CHROMIUM [DIRECTORY for screenshots]

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const [url, executablePath, shots] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const wrong = { push: (text) => console.log(text) };

// What each page must show before it counts as there.
const PAGES = {
  overview: ['text=/[1-9][0-9.]* transactions/', '.chart canvas'],
  pools: ['td:has-text("crm")', 'text=/at work/i'],
  statements: ['td.sql a:has-text("select")'],
  slow: ['td.sql a:has-text("pg_sleep")'],
  advice: ['h1:has-text("Advice")', 'main section h2, main .empty'],
  cache: ['text=/[0-9]+ hits/', 'td.sql:has-text("select")'],
  rewrites: ['main section, main .empty'],
};

const browser = await chromium.launch({
  executablePath,
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking', '--disable-component-update', '--no-first-run'],
});

async function audit(page, name) {
  // Axe runs in a world of its own as the policy lets no script in.
  const client = await page.context().newCDPSession(page);
  const { frameTree } = await client.send('Page.getFrameTree');
  const { executionContextId } = await client.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id, worldName: 'axe' });
  const run = async (expression) => {
    const answer = await client.send('Runtime.evaluate', { expression, contextId: executionContextId, awaitPromise: true, returnByValue: true });
    if (answer.exceptionDetails) throw new Error(JSON.stringify(answer.exceptionDetails.exception ?? answer.exceptionDetails));
    return answer.result.value;
  };
  await run(`${axe}; 1`);
  const found = await run(`axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations.filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) => v.id + ': ' + v.nodes.slice(0, 3).map((n) => n.target.join(' ')).join(' | ')))`);
  for (const f of found) wrong.push(`${name}: axe finds ${f}`);
}

async function look(page, name, address, needs, audited = true) {
  try {
    await page.goto(`${url}#${address}`, { waitUntil: 'domcontentloaded' });
    for (const n of needs) await page.locator(n).first().waitFor({ timeout: 20000 });
    if (audited) await audit(page, name);
    if (shots) await page.screenshot({ path: `${shots}/${name}.png`, fullPage: false });
  } catch (error) {
    wrong.push(`${name}: ${String(error.message).split('\n').slice(0, 4).join(' ')}`);
  }
}

async function open(colorScheme, width, height) {
  const context = await browser.newContext({ colorScheme, viewport: { width, height }, reducedMotion: 'reduce' });
  const page = await context.newPage();
  page.on('console', (m) => { if (['error', 'warning'].includes(m.type())) wrong.push(`console: ${m.text()} ${m.location().url}`); });
  page.on('pageerror', (e) => wrong.push(`page error: ${e.message}`));
  page.on('requestfailed', (r) => { if (!r.url().endsWith('/api/live') && r.failure()?.errorText !== 'net::ERR_ABORTED') wrong.push(`request: ${r.url()} ${r.failure()?.errorText}`); });
  page.on('request', (r) => { if (!r.url().startsWith(url)) wrong.push(`a request to elsewhere: ${r.url()}`); });
  return page;
}

// largePlan is a document of 5,000 steps, up to 200 deep.
function largePlan() {
  const nodes = [];
  for (let id = 1; id <= 5000; id++) {
    nodes.push({ id, depth: (id - 1) % 200, leaf: id % 200 === 0, label: `Nested Loop ${id}`, details: [{ name: 'Filter', value: '(a.id = b.id)' }],
      exclusive: 1, total: 5000 - id, share: 0.0002, rows: 10, plan_rows: 1000, rows_off: 100, loops: 1, cost: 5 });
  }
  return { number: 5000, at: new Date().toISOString(), shape: '0', text: 'select 1', database: 'crm', user: 'app', observed: 5000, analyzed: true, reason: '', plan: 'x',
    execution: 5000, planning: 1, jit: 0, generic_cost: 0, nodes, findings: [{ check: 'slow scan', severity: 'high', node: 4000, message: 'it is slow', hint: '', saved: 1 }] };
}

// A person with a keyboard: the tree can be walked, a step can be closed.
async function keys(page) {
  const first = page.locator('[role=treeitem]').first();
  await first.focus();
  const before = await page.locator('[role=treeitem]').count();
  await page.keyboard.press('ArrowLeft');
  if (before > 1 && (await page.locator('[role=treeitem]').count()) !== 1) wrong.push('keyboard: ArrowLeft does not close a step');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowDown');
  const at = await page.evaluate(() => document.activeElement?.getAttribute('aria-level'));
  if (before > 1 && at !== '2') wrong.push(`keyboard: ArrowDown leads to level ${at}`);
}

try {
  const page = await open('light', 1440, 900);
  for (const [name, needs] of Object.entries(PAGES)) await look(page, name, name, needs);
  await page.goto(`${url}#slow`);
  await page.locator('td.sql a:has-text("order by name")').first().click();
  await page.locator('[role=treeitem]').first().waitFor({ timeout: 20000 });
  await audit(page, 'plan');
  if (shots) await page.screenshot({ path: `${shots}/plan.png` });
  await keys(page);
  await page.goto(`${url}#statements`);
  await page.locator('td.sql a').first().click();
  await page.locator('text=/Each call/').first().waitFor({ timeout: 20000 });
  await audit(page, 'statement');
  await page.route('**/api/plan?number=5000', (route) => route.fulfill({ json: largePlan() }));
  const began = Date.now();
  await look(page, 'large-plan', 'plan/5000', ['[role=treeitem] >> nth=4999'], false); // axe would take minutes for it
  if (Date.now() - began > 15000) wrong.push(`a plan of 5,000 steps takes ${Date.now() - began} ms`);
  const dark = await open('dark', 1440, 900);
  await look(dark, 'overview-dark', 'overview', PAGES.overview);
  const narrow = await open('light', 360, 740);
  await look(narrow, 'overview-narrow', 'overview', PAGES.overview);
  const wide = await narrow.evaluate(() => document.documentElement.scrollWidth);
  if (wide > 360) wrong.push(`a page of 360 px is ${wide} px wide`);
} catch (error) {
  wrong.push(String(error.stack ?? error));
} finally {
  await browser.close();
}
