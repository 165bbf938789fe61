import { html, useState } from '../vendor/preact.js';
import { useDocument } from '../api.js';
import { ago, count, duration } from '../format.js';
import { Badge, Wait } from '../parts.js';

function Copy({ text }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await navigator.clipboard?.writeText(text);
    setDone(true);
  };
  return html`<button onClick=${copy}>${done ? 'Copied' : 'Copy'}</button>`;
}

const KINDS = { verified: 'ok', adopted: 'ok', unverified: 'warning' };

const Statement = ({ text }) => text && html`<div><pre class="sql" tabindex="0">${text}</pre><p><${Copy} text=${text} /></p></div>`;

const One = ({ a }) => html`
  <section>
    <h2>${a.title} <${Badge} kind=${KINDS[a.state]}>${a.state}<//></h2>
    <${Statement} text=${a.extension} />
    <${Statement} text=${a.ddl} />
    <dl class="facts">
      <dt>Why</dt><dd>${a.why}</dd>
      ${a.cost && html`<dt>It costs</dt><dd>${a.cost}</dd>`}
      ${a.cost_before > 0 && a.cost_after > 0 && html`<dt>Planner’s cost</dt><dd>${count(a.cost_before)} now, ${count(a.cost_after)} with it</dd>`}
      ${a.after > 0 && html`<dt>Median time</dt><dd>${duration(a.before)} before, ${duration(a.after)} since</dd>`}
      ${a.saved > 0 && html`<dt>May save</dt><dd>${duration(a.saved)} in an hour</dd>`}
      ${a.text && html`<dt>Statement</dt><dd>${a.statement ? html`<a class="sql" href="#statements/${a.statement}">${a.text}</a>` : html`<span class="sql">${a.text}</span>`}</dd>`}
      <dt>Where</dt><dd>${[a.database, a.table].filter(Boolean).join(', ') || '–'}</dd>
      <dt>Seen</dt><dd>${count(a.seen)} times, the last ${ago(a.last)}</dd>
    </dl>
  </section>`;

export function Advice() {
  const state = useDocument('advice', 5);
  const d = state.data;
  if (!d) return html`<${Wait} state=${state} />`;
  if (!d.advice.length) return html`<p class="empty">There is no advice yet: it comes of statements that were counted and explained (monitor.explain).</p>`;
  return d.advice.map((a) => html`<${One} key=${a.id} a=${a} />`);
}
