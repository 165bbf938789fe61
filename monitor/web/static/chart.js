// A chart of the live figures over time.

import { html, useEffect, useRef } from './vendor/preact.js';
import uPlot from './vendor/uplot.js';
import { useLive } from './api.js';

// Colours that can be told apart on both backgrounds, also without seeing colours well.
const COLOURS = ['#2f81d6', '#d98200', '#23966a', '#c2477f'];

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function options(width, series, show) {
  const axis = () => ({ stroke: () => style('--dim'), grid: { stroke: () => style('--line'), width: 1 }, ticks: { show: false }, font: '12px system-ui' });
  return {
    width, height: 200,
    legend: { show: false },
    cursor: { drag: { x: false, y: false } },
    scales: { y: { range: (_, __, max) => [0, (max || 1) * 1.1] } },
    axes: [axis(), { ...axis(), size: 64, values: (_, values) => values.map(show) }],
    series: [{}, ...series.map((s, i) => ({ label: s.title, stroke: COLOURS[i], width: 1.8, dash: i % 2 ? [6, 3] : undefined, points: { show: false } }))],
  };
}

const columns = (moments, series) => [moments.map((m) => m.at / 1000), ...series.map((s) => moments.map((m) => m[s.key]))];

// Chart draws series of { key, title }; show writes a value. Who cannot see it is told
// the latest values.
export function Chart({ title, series, show }) {
  const live = useLive();
  const box = useRef(null);
  const plot = useRef(null);
  useEffect(() => {
    plot.current = new uPlot(options(box.current.clientWidth || 400, series, show), columns([], series), box.current);
    const sizes = new ResizeObserver(() => plot.current.setSize({ width: box.current.clientWidth, height: 200 }));
    sizes.observe(box.current);
    return () => { sizes.disconnect(); plot.current.destroy(); };
  }, []);
  useEffect(() => { plot.current.setData(columns(live.moments, series)); }, [live.moments]);
  const last = live.moments.at(-1);
  const spoken = last ? series.map((s) => `${s.title} ${show(last[s.key])}`).join(', ') : 'nothing yet';
  return html`
    <section>
      <h2>${title}</h2>
      <ul class="legend">${series.map((s, i) => html`
        <li key=${s.key}><svg width="18" height="4" aria-hidden="true"><line x1="0" x2="18" y1="2" y2="2" stroke=${COLOURS[i]} stroke-width="3" stroke-dasharray=${i % 2 ? '6 3' : ''} /></svg>${s.title}: ${last ? show(last[s.key]) : '–'}</li>`)}
      </ul>
      <div class="chart" role="img" aria-label="${title}: ${spoken}" ref=${box}></div>
    </section>`;
}
