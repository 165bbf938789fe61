import { html } from '../vendor/preact.js';
import { useDocument } from '../api.js';
import { count, duration } from '../format.js';
import { Badge, Table, Wait } from '../parts.js';

const REWRITES = [
  { key: 'rule', title: 'Rule' },
  { key: 'text', title: 'Statement', sql: true, show: (r) => html`<div class="cut" title=${r.text}>${r.text}</div>` },
  { key: 'becomes', title: 'Becomes', sql: true, show: (r) => html`<div class="cut" title=${r.becomes}>${r.becomes || '–'}</div>` },
  { key: 'database', title: 'Database' },
  { key: 'state', title: 'State', show: (r) => html`<${Badge}>${r.state}<//>` },
  { key: 'calls', title: 'Used', number: true, show: (r) => count(r.calls) },
  { key: 'before', title: 'Before', number: true, show: (r) => (r.before ? duration(r.before) : '–') },
  { key: 'after', title: 'After', number: true, show: (r) => (r.after ? duration(r.after) : '–') },
  { key: 'ratio', title: 'Costs, before to after', number: true, show: (r) => (r.ratio ? count(r.ratio) : '–') },
  { key: 'saved', title: 'Saved', number: true, show: (r) => duration(r.saved) },
  { key: 'why', title: 'Why' },
];

export function Rewrites() {
  const state = useDocument('rewrites', 5);
  if (!state.data) return html`<${Wait} state=${state} />`;
  const rows = state.data.rewrites.map((r) => ({ ...r, id: [r.rule, r.database, r.user, r.text].join('\n') }));
  return html`<section><${Table} caption="Statements that PostgreSQL is given in another form: medians of their time, before and after" columns=${REWRITES} rows=${rows} by="saved" empty="No rule has applied to a statement yet (rewrite)." /></section>`;
}
