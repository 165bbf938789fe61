import { html } from '../vendor/preact.js';
import { useDocument, useLive } from '../api.js';
import { Chart } from '../chart.js';
import { bytes, count, duration, percent } from '../format.js';
import { Card } from '../parts.js';

const CHARTS = [
  ['Throughput', [['queries', 'Queries a second'], ['hits', 'from the cache'], ['errors', 'Errors']], count],
  ['Latency, as clients see it', [['p50', 'Median'], ['p95', '95 %'], ['p99', '99 %'], ['overhead', '99 % of PgJay’s own part']], duration],
  ['Backends and clients that wait', [['active', 'Active backends'], ['idle', 'Idle backends'], ['waiting', 'Waiting clients']], count],
  ['Bytes a second', [['received', 'From clients'], ['sent', 'To clients']], bytes],
];

export function Overview() {
  const { data, error } = useDocument('overview', 3);
  const { moments } = useLive();
  const now = moments.at(-1) ?? {};
  return html`
    ${error && html`<p class="error" role="alert">${error}</p>`}
    ${data && html`<ul class="verdict" aria-label="How things are">
      ${data.ready && html`<li class="error">Not ready: ${data.ready}</li>`}
      ${data.verdict.map((v) => html`<li key=${v.text} class=${v.level}>${v.text}</li>`)}
    </ul>`}
    <div class="cards">
      <${Card} label="Queries a second" value=${count(now.queries)} more="${count(now.transactions)} transactions" />
      <${Card} label="Median time" value=${duration(now.p50)} more="99 %: ${duration(now.p99)}" />
      <${Card} label="PgJay’s own part" value=${duration(now.overhead)} more="99 % take less" />
      <${Card} label="From the cache" value=${percent(now.hits, now.queries)} more="saves ${duration(now.saved)} a second" />
      <${Card} label="Clients" value=${count(now.clients)} more="${count(now.waiting)} wait${now.wait ? `, the first for ${duration(now.wait)}` : ''}" />
      <${Card} label="Errors a second" value=${count(now.errors)} more="" />
    </div>
    <div class="charts">${CHARTS.map(([title, series, show]) => html`
      <${Chart} key=${title} title=${title} show=${show} series=${series.map(([key, text]) => ({ key, title: text }))} />`)}
    </div>`;
}
