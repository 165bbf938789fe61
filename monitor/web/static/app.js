// The frame around the pages: the way between them, and light or dark.

import { html, render, useEffect, useRef, useState } from './vendor/preact.js';
import { connect, useDocument, useLive } from './api.js';
import { ago } from './format.js';
import { Badge } from './parts.js';
import { Overview } from './pages/overview.js';
import { Pools } from './pages/pools.js';
import { Statements } from './pages/statements.js';
import { Cache } from './pages/cache.js';
import { Rewrites } from './pages/rewrites.js';
import { Slow } from './pages/slow.js';
import { Plan } from './pages/plan.js';
import { Advice } from './pages/advice.js';

const PAGES = [
  ['overview', 'Overview', Overview],
  ['pools', 'Pools', Pools],
  ['statements', 'Statements', Statements],
  ['slow', 'Slow', Slow],
  ['advice', 'Advice', Advice],
  ['cache', 'Cache', Cache],
  ['rewrites', 'Rewrites', Rewrites],
];

// place reads the address: #page or #page/what.
function place() {
  const [page, ...rest] = location.hash.slice(1).split('/');
  return { page: page || 'overview', what: decodeURIComponent(rest.join('/')) };
}

function usePlace() {
  const [at, go] = useState(place());
  useEffect(() => {
    const moved = () => go(place());
    addEventListener('hashchange', moved);
    return () => removeEventListener('hashchange', moved);
  }, []);
  return at;
}

const THEMES = { '': 'Auto', light: 'Light', dark: 'Dark' };

function useTheme() {
  const [theme, set] = useState(localStorage.getItem('theme') ?? '');
  useEffect(() => {
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
    localStorage.setItem('theme', theme);
  }, [theme]);
  return [theme, set];
}

function Header({ page }) {
  const [theme, setTheme] = useTheme();
  const live = useLive();
  const { data } = useDocument('overview', 10);
  return html`
    <header>
      <span class="name">PgJay</span>
      <nav aria-label="Pages"><ul>${PAGES.map(([name, title]) => html`
        <li key=${name}><a href="#${name}" aria-current=${page === name ? 'page' : undefined}>${title}</a></li>`)}</ul></nav>
      <span class="push version">${data ? `${data.version}, started ${ago(data.started)}` : ''}</span>
      <span role="status"><${Badge} kind=${live.connected ? 'ok' : 'warning'}>${live.connected ? 'live' : 'not connected'}<//></span>
      <label><span class="dim">Theme</span> <select value=${theme} onChange=${(e) => setTheme(e.target.value)}>
        ${Object.entries(THEMES).map(([value, title]) => html`<option key=${value} value=${value}>${title}</option>`)}
      </select></label>
    </header>`;
}

function App() {
  const { page, what } = usePlace();
  const main = useRef(null);
  const seen = useRef(page + what);
  const [, title, Page] = page === 'plan' ? ['plan', 'Plan', Plan] : PAGES.find(([name]) => name === page) ?? PAGES[0];
  useEffect(() => {
    document.title = `${title} – PgJay`;
    if (seen.current !== page + what) main.current.focus(); // so that what is read next is the new page
    seen.current = page + what;
  }, [page, what]);
  return html`
    <a class="skip" href="#${page}" onClick=${(e) => { e.preventDefault(); main.current.focus(); }}>Skip to the page</a>
    <${Header} page=${page === 'plan' ? 'slow' : page} />
    <main ref=${main} tabindex="-1" key=${page + what}><h1>${title}</h1><${Page} what=${what} /></main>`;
}

connect();
render(html`<${App} />`, document.getElementById('app'));
