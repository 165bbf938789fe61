import { html } from '../vendor/preact.js';
import { useDocument } from '../api.js';
import { ago, count, duration } from '../format.js';
import { Badge, Wait } from '../parts.js';

const Rewrite = ({ r }) => html`
  <section>
    <h2>${r.rule} <${Badge} kind=${r.state === 'active' ? 'ok' : 'warning'}>${r.state}<//></h2>
    <dl class="facts">
      <dt>Where</dt><dd>${r.database}</dd>
      <dt>Times</dt><dd>${count(r.calls)}, the last ${ago(r.last)}</dd>
      ${r.before_s > 0 && html`<dt>Time</dt><dd>${duration(r.before_s)} before, ${duration(r.after_s)} now</dd>`}
      ${r.why && html`<dt>Why</dt><dd>${r.why}</dd>`}
    </dl>
    <div class="pair">
      <div><h3>Before</h3><pre class="sql" tabindex="0">${r.before}</pre></div>
      <div><h3>After</h3><pre class="sql" tabindex="0">${r.after}</pre></div>
    </div>
  </section>`;

export function Rewrites() {
  const state = useDocument('rewrites', 5);
  const d = state.data;
  if (!d) return html`<${Wait} state=${state} />`;
  if (!d.enabled) return html`<section><p>No statement is rewritten: that is switched off, or not there in this version.</p></section>`;
  if (!d.rewrites.length) return html`<p class="empty">No statement has been rewritten yet.</p>`;
  return d.rewrites.map((r) => html`<${Rewrite} key=${r.id} r=${r} />`);
}
