import { html, useState } from '../vendor/preact.js';
import { useDocument } from '../api.js';
import { ago, bytes, count, duration, ms, percent } from '../format.js';
import { Meter, Table, Wait } from '../parts.js';

const columns = (all) => [
  { key: 'text', title: 'Statement', sql: true, show: (s) => html`<a href="#statements/${s.id}" class="cut" title=${s.text}>${s.text}</a>` },
  { key: 'database', title: 'Database' },
  { key: 'total', title: 'Total time', number: true, show: (s) => html`<${Meter} part=${s.total} whole=${all} text=${duration(s.total)} />` },
  { key: 'calls', title: 'Calls', number: true, show: (s) => count(s.calls) },
  { key: 'p50', title: 'Median', number: true, show: (s) => ms(s.p50) },
  { key: 'p95', title: '95 %', number: true, show: (s) => ms(s.p95) },
  { key: 'p99', title: '99 %', number: true, show: (s) => ms(s.p99) },
  { key: 'max', title: 'Longest', number: true, show: (s) => ms(s.max) },
  { key: 'rows', title: 'Rows', number: true, show: (s) => count(s.rows) },
  { key: 'errors', title: 'Errors', number: true, show: (s) => count(s.errors) },
  { key: 'cached', title: 'Cache', number: true, show: (s) => percent(s.cached, 1) },
];

function One({ s }) {
  return html`
    <p><a href="#statements">All statements</a></p>
    <section>
      <pre class="sql" tabindex="0">${s.text}</pre>
      <dl class="facts">
        <dt>Number</dt><dd>${s.id}</dd>
        <dt>Database, user</dt><dd>${s.database}, ${s.user}</dd>
        <dt>Calls</dt><dd>${count(s.calls)}, ${count(s.errors)} with an error${s.last_error ? ` (${s.last_error})` : ''}</dd>
        <dt>Seen</dt><dd>first ${ago(s.first)}, last ${ago(s.last)}</dd>
        <dt>Time</dt><dd>${duration(s.total)}: ${duration(s.backend)} PostgreSQL, ${duration(s.wait)} waiting for a backend, ${duration(s.proxy)} PgJay</dd>
        <dt>Rows</dt><dd>${duration(s.first_row)} of it until the first row came, ${duration(s.stalled)} in which the client did not take any</dd>
        <dt>Each call</dt><dd>median ${ms(s.p50)}, 95 % ${ms(s.p95)}, 99 % ${ms(s.p99)}, longest ${ms(s.max)}</dd>
        <dt>Answers</dt><dd>${count(s.rows)} rows, ${bytes(s.bytes)}</dd>
        <dt>Cache, rewriting</dt><dd>${percent(s.cached, 1)} from the cache, ${percent(s.rewritten, 1)} rewritten</dd>
      </dl>
    </section>
    <section><h2>Plans</h2><${Table} caption="The plans that it was seen with" rows=${s.plans} empty="It was not explained yet." columns=${[
      { key: 'id', title: 'Plan', show: (p) => (p.number ? html`<a href="#plan/${p.number}">${p.id}</a>` : p.id) },
      { key: 'calls', title: 'Calls', number: true, show: (p) => count(p.calls) },
      { key: 'p95', title: '95 %', number: true, show: (p) => ms(p.p95) },
      { key: 'first', title: 'First seen', show: (p) => ago(p.first) },
      { key: 'last', title: 'Last seen', show: (p) => ago(p.last) },
    ]} /></section>`;
}

export function Statements({ what }) {
  const state = useDocument('statements', 3);
  const [filter, setFilter] = useState('');
  if (!state.data) return html`<${Wait} state=${state} />`;
  const all = state.data.statements;
  if (what) {
    const one = all.find((s) => s.id === what);
    return one ? html`<${One} s=${one} />` : html`<p class="empty">There is no such statement any more. <a href="#statements">All statements</a></p>`;
  }
  const rows = all.filter((s) => `${s.text} ${s.database} ${s.user}`.toLowerCase().includes(filter.toLowerCase()));
  const longest = Math.max(...all.map((s) => s.total), 0);
  return html`
    <p><label>Only those with <input type="search" value=${filter} onInput=${(e) => setFilter(e.target.value)} /></label></p>
    <section><${Table} caption="Those that took most time; texts are without literals" columns=${columns(longest)} rows=${rows} by="total" empty="No statement was counted yet (monitor.max_statements)." /></section>`;
}
