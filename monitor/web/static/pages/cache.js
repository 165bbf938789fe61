import { html } from '../vendor/preact.js';
import { useDocument } from '../api.js';
import { bytes, count, duration, ms, percent } from '../format.js';
import { Badge, Card, Meter, Table, Wait } from '../parts.js';

const SHAPES = [
  { key: 'text', title: 'Statement', sql: true, show: (s) => html`<div class="cut" title=${s.text}>${s.text}</div>` },
  { key: 'saved', title: 'Saved', number: true, show: (s) => duration(s.saved) },
  { key: 'hits', title: 'Hits', number: true, show: (s) => count(s.hits) },
  { key: 'misses', title: 'Misses', number: true, show: (s) => count(s.misses) },
  { key: 'ratio', title: 'Hit rate', number: true, sort: (s) => s.hits / (s.hits + s.misses || 1), show: (s) => percent(s.hits, s.hits + s.misses) },
  { key: 'origin_ms', title: 'Without', number: true, show: (s) => ms(s.origin_ms) },
  { key: 'hit_ms', title: 'A hit', number: true, show: (s) => ms(s.hit_ms) },
  { key: 'bytes', title: 'Size', number: true, show: (s) => bytes(s.bytes) },
  { key: 'why', title: 'Not cached, as', show: (s) => html`${s.off && html`<${Badge} kind="warning">off<//> it costs more than it saves. `}${s.why}` },
];

const words = (name) => name.replaceAll('_', ' ');

function Counts({ title, caption, counts }) {
  const rows = Object.entries(counts).map(([id, n]) => ({ id, n }));
  const most = Math.max(...rows.map((r) => r.n), 1);
  const columns = [
    { key: 'id', title: 'What', show: (r) => words(r.id) },
    { key: 'n', title: 'Times', number: true, show: (r) => html`<${Meter} part=${r.n} whole=${most} text=${count(r.n)} />` },
  ];
  return html`<section><h2>${title}</h2><${Table} caption=${caption} columns=${columns} rows=${rows} by="n" /></section>`;
}

export function Cache() {
  const state = useDocument('cache', 3);
  const d = state.data;
  if (!d) return html`<${Wait} state=${state} />`;
  if (!d.enabled) return html`<section><p>The cache is off: <code>cache.enabled</code> is false. Statements that are asked again and again would be answered from memory.</p></section>`;
  return html`
    <div class="cards">
      <${Card} label="Hit rate" value=${percent(d.hits, d.hits + d.misses)} more="${count(d.hits)} hits, ${count(d.misses)} misses" />
      <${Card} label="Time saved" value=${duration(d.saved)} more="that PostgreSQL did not work" />
      <${Card} label="Answers" value=${count(d.entries)} more="${count(d.evicted)} had to go" />
      <${Card} label="Memory" value=${bytes(d.bytes)} more="${percent(d.bytes, d.limit)} of ${bytes(d.limit)}" />
      <${Card} label="Compared" value=${count(d.verified)} more=${html`<${Badge} kind=${d.mismatches ? 'error' : 'ok'}>${count(d.mismatches)} differed<//>`} />
    </div>
    <section><h2>Statements</h2><${Table} caption="By what the cache has saved; texts are without literals" columns=${SHAPES} rows=${d.shapes.map((s) => ({ ...s, id: s.fingerprint }))} by="saved" /></section>
    <div class="pair">
      <${Counts} title="Looked up" caption="What was found" counts=${d.outcomes} />
      <${Counts} title="Refused" caption="Why answers were not kept" counts=${d.refusals} />
    </div>`;
}
