import { html } from '../vendor/preact.js';
import { useDocument } from '../api.js';
import { ago, ms } from '../format.js';
import { Badge, Table, Wait } from '../parts.js';

const severity = { high: 3, medium: 2, low: 1 };

const PLANS = [
  { key: 'number', title: 'Plan', number: true, show: (p) => html`<a href="#plan/${p.number}">${p.number}</a>` },
  { key: 'text', title: 'Statement', sql: true, show: (p) => html`<a href="#plan/${p.number}" class="cut" title=${p.text}>${p.text}</a>` },
  { key: 'database', title: 'Database' },
  { key: 'observed', title: 'Took', number: true, show: (p) => ms(p.observed) },
  { key: 'nodes_count', title: 'Steps', number: true },
  { key: 'worst', title: 'Findings', sort: (p) => (severity[p.worst] ?? 0) * 100 + p.findings_count, show: (p) => (p.findings_count ? html`<${Badge} kind=${p.worst}>${p.findings_count}, ${p.worst}<//>` : '–') },
  { key: 'reason', title: 'How', show: (p) => (p.source === 'auto_explain' ? p.reason : p.analyzed ? 'executed again' : p.nodes_count ? `not executed again: ${p.reason}` : p.reason) },
  { key: 'at', title: 'When', show: (p) => ago(p.at) },
];

export function Slow() {
  const state = useDocument('plans', 3);
  if (!state.data) return html`<${Wait} state=${state} />`;
  return html`<section><${Table} caption="Slow statements that were explained, with what is wrong in their plans" columns=${PLANS} rows=${state.data.plans.map((p) => ({ ...p, id: p.number }))} by="number" empty="No statement was explained yet (monitor.explain, monitor.explain_threshold)." /></section>`;
}
