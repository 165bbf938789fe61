// Parts that several pages are made of.

import { html, useState } from './vendor/preact.js';

export const Badge = ({ kind, children }) => html`<span class="badge ${kind ?? ''}">${children}</span>`;

export const Card = ({ label, value, more }) => html`
  <div class="card" role="group" aria-label=${label}>
    <div class="label">${label}</div><div class="value">${value}</div><div class="more">${more}</div>
  </div>`;

// Wait shows what stands between the page and its data.
export function Wait({ state }) {
  if (state.error) return html`<p class="error" role="alert">${state.error}</p>`;
  return html`<p class="empty" role="status">One moment…</p>`;
}

// Table shows rows in columns of { key, title, number, show, sort }. A title can be
// pressed to sort by it, the largest first.
export function Table({ caption, columns, rows, empty, by }) {
  const [order, setOrder] = useState({ key: by, down: true });
  const column = columns.find((c) => c.key === order.key);
  if (!rows.length) return html`<p class="empty">${empty ?? 'There is nothing yet.'}</p>`;
  const value = (row) => (column.sort ? column.sort(row) : row[column.key]);
  const sorted = column ? [...rows].sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    const less = typeof x === 'string' ? y.localeCompare(x) : (x ?? 0) - (y ?? 0);
    return order.down ? -less : less;
  }) : rows;
  const press = (key) => setOrder((o) => ({ key, down: o.key === key ? !o.down : true }));
  const direction = (c) => (c.key !== order.key ? undefined : order.down ? 'descending' : 'ascending');
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label=${caption}>
    <table>
      <caption>${caption}</caption>
      <thead><tr>${columns.map((c) => html`
        <th key=${c.key} scope="col" class=${c.number ? 'n' : ''} aria-sort=${direction(c)}>
          <button onClick=${() => press(c.key)}>${c.title}${c.key === order.key ? (order.down ? ' ▾' : ' ▴') : ''}</button>
        </th>`)}</tr></thead>
      <tbody>${sorted.map((row, i) => html`
        <tr key=${row.id ?? i}>${columns.map((c) => html`
          <td key=${c.key} class="${c.number ? 'n' : ''} ${c.sql ? 'sql' : ''}">${c.show ? c.show(row) : row[c.key]}</td>`)}</tr>`)}
      </tbody>
    </table></div>`;
}

// Meter is a bar for a part of a whole, with its number beside it.
export const Meter = ({ part, whole, text }) => html`
  <span class="bar" aria-hidden="true" style=${{ width: `${Math.round(80 * Math.min(whole ? part / whole : 0, 1))}px` }}></span> ${text}`;
