import { html } from '../vendor/preact.js';
import { useDocument } from '../api.js';
import { ago, count, duration } from '../format.js';
import { Badge, Card, Meter, Table, Wait } from '../parts.js';

const POOLS = [
  { key: 'database', title: 'Database' },
  { key: 'user', title: 'User' },
  { key: 'mode', title: 'Mode' },
  { key: 'active', title: 'Active', number: true, show: (p) => html`<${Meter} part=${p.active} whole=${p.size + p.overflow} text="${p.active} of ${p.size} + ${p.overflow}" />` },
  { key: 'idle', title: 'Idle', number: true },
  { key: 'dedicated', title: 'Outside', number: true },
  { key: 'waiting', title: 'Waiting', number: true, show: (p) => (p.waiting ? html`<${Badge} kind="warning">${p.waiting}<//>` : 0) },
  { key: 'oldest', title: 'First for', number: true, show: (p) => duration(p.oldest) },
  { key: 'leases', title: 'Leases', number: true, show: (p) => count(p.leases) },
  { key: 'waits', title: 'Waits', number: true, show: (p) => count(p.waits) },
  { key: 'waited', title: 'Average wait', number: true, sort: (p) => (p.waits ? p.waited / p.waits : 0), show: (p) => (p.waits ? duration(p.waited / p.waits) : '–') },
  { key: 'error', title: 'Why logins fail', show: (p) => (p.error ? html`<span class="error">${p.error}</span>` : '') },
];

const PINNED = [
  { key: 'id', title: 'Client', number: true },
  { key: 'application', title: 'Application' },
  { key: 'database', title: 'Database' },
  { key: 'user', title: 'User' },
  { key: 'pin', title: 'Reason', show: (c) => html`<${Badge}>${c.pin}<//>` },
  { key: 'held', title: 'For', number: true, show: (c) => duration(c.held) },
  { key: 'statement', title: 'Statement', sql: true },
];

const CLIENTS = [
  { key: 'id', title: 'Client', number: true },
  { key: 'application', title: 'Application' },
  { key: 'database', title: 'Database' },
  { key: 'user', title: 'User' },
  { key: 'state', title: 'State', show: (c) => c.state.replaceAll('_', ' ') },
  { key: 'address', title: 'Address' },
  { key: 'connected', title: 'Connected', show: (c) => ago(c.connected) },
];

export function Pools() {
  const state = useDocument('pools', 2);
  const d = state.data;
  if (!d) return html`<${Wait} state=${state} />`;
  const states = d.states;
  return html`
    ${d.error && html`<p class="error" role="alert">Clients: ${d.error}</p>`}
    <div class="cards">
      <${Card} label="Clients" value=${count(d.total)} more="${count(states.idle)} idle" />
      <${Card} label="At work" value=${count(states.active)} more="${count(states.idle_in_transaction)} idle in a transaction" />
      <${Card} label="Waiting for a backend" value=${count(states.waiting)} more="" />
      <${Card} label="Pinned" value=${count(d.pinned.length)} more="keep their backend" />
    </div>
    <section><h2>Pools</h2><${Table} caption="One for each database and user" columns=${POOLS} rows=${d.pools} by="active" /></section>
    <section><h2>Pinned clients</h2><${Table} caption="Each keeps a backend beyond its transaction, for something that only that backend has" columns=${PINNED} rows=${d.pinned} by="held" empty="No client keeps its backend." /></section>
    <section><h2>Clients</h2><${Table} caption=${d.total > d.clients.length ? `The first ${d.clients.length} of ${d.total}` : 'All that are logged in'} columns=${CLIENTS} rows=${d.clients} /></section>`;
}
