// The plan of a statement as a tree, with what was found beside each step.

import { html, useMemo, useRef, useState } from '../vendor/preact.js';
import { useDocument } from '../api.js';
import { ago, count, ms, percent } from '../format.js';
import { Badge, Wait } from '../parts.js';

const STEP = 20; // px for each level
const DEEPEST = 60; // levels that are drawn; deeper ones are not moved further

// heat is how much of the whole a step takes, in three classes.
const heat = (share) => (share > 0.9 ? 'hot3' : share > 0.4 ? 'hot2' : share > 0.1 ? 'hot1' : '');

function Numbers({ n, analyzed }) {
  if (!analyzed) return html`cost ${count(n.cost)}, rows expected: ${count(n.plan_rows)}`;
  if (!n.loops) return html`never executed, rows expected: ${count(n.plan_rows)}`;
  const off = n.rows_off >= 10 ? html` <${Badge} kind="warning">${count(n.rows_off)} times off<//>` : '';
  return html`${ms(n.exclusive)} itself (${percent(n.share, 1)}), ${ms(n.total)} in all, rows: ${count(n.rows)}, expected: ${count(n.plan_rows)}${off}${n.loops > 1 ? `, ${count(n.loops)} times` : ''}`;
}

const Notes = ({ findings }) => html`
  <ul class="notes">${findings.map((f, i) => html`
    <li key=${i}><${Badge} kind=${f.severity}>${f.check}<//> ${f.message}${f.hint ? html` <span class="dim">${f.hint}</span>` : ''}</li>`)}</ul>`;

function Node({ n, analyzed, findings, closed, twist, focused }) {
  const depth = Math.min(n.depth, DEEPEST);
  return html`
    <div class="node ${heat(n.share)}" role="treeitem" aria-level=${n.depth + 1} aria-expanded=${n.leaf ? undefined : String(!closed)}
      data-id=${n.id} tabindex=${focused ? 0 : -1}>
      <span class="rails" aria-hidden="true" style=${{ width: `${depth * STEP}px` }}></span>
      ${n.leaf ? html`<span class="twist" aria-hidden="true"></span>` : html`<span class="twist" aria-hidden="true" onClick=${twist}>${closed ? '▸' : '▾'}</span>`}
      <div class="box">
        <div class="step">${n.label}</div>
        <div class="numbers"><span class="bar" aria-hidden="true" style=${{ width: `${Math.round(n.share * 120)}px` }}></span> <${Numbers} n=${n} analyzed=${analyzed} /></div>
        ${n.details.map((d) => html`<div class="conditions" key=${d.name}>${d.name}: ${d.value}</div>`)}
      </div>
      ${findings && html`<${Notes} findings=${findings} />`}
    </div>`;
}

// visible leaves out what is below a closed step.
function visible(nodes, closed) {
  const shown = [];
  let under = Infinity;
  for (const n of nodes) {
    if (n.depth > under) continue;
    under = closed.has(n.id) ? n.depth : Infinity;
    shown.push(n);
  }
  return shown;
}

function Tree({ plan }) {
  const [closed, setClosed] = useState(new Set());
  const [focused, setFocused] = useState(1);
  const box = useRef(null);
  const byNode = useMemo(() => Map.groupBy(plan.findings.filter((f) => f.node), (f) => f.node), [plan]);
  const shown = useMemo(() => visible(plan.nodes, closed), [plan, closed]);
  const set = (id, close) => setClosed((old) => {
    const next = new Set(old);
    if (close) next.add(id); else next.delete(id);
    return next;
  });
  const go = (n) => {
    if (!n) return;
    setFocused(n.id);
    box.current.querySelector(`[data-id="${n.id}"]`)?.focus();
  };
  const press = (e) => {
    const at = shown.findIndex((n) => n.id === focused);
    const n = shown[at];
    const moves = {
      ArrowDown: () => go(shown[at + 1]),
      ArrowUp: () => go(shown[at - 1]),
      Home: () => go(shown[0]),
      End: () => go(shown.at(-1)),
      ArrowLeft: () => (n.leaf || closed.has(n.id) ? go(shown.slice(0, at).findLast((p) => p.depth < n.depth)) : set(n.id, true)),
      ArrowRight: () => (closed.has(n.id) ? set(n.id, false) : n.leaf || go(shown[at + 1])),
    };
    if (n && moves[e.key]) {
      e.preventDefault();
      moves[e.key]();
    }
  };
  return html`
    <div class="tree" role="tree" aria-label="Plan" ref=${box} onKeyDown=${press} onFocusIn=${(e) => setFocused(Number(e.target.dataset.id) || focused)}>
      ${shown.map((n) => html`<${Node} key=${n.id} n=${n} analyzed=${plan.analyzed} findings=${byNode.get(n.id)} closed=${closed.has(n.id)} focused=${focused === n.id} twist=${() => set(n.id, !closed.has(n.id))} />`)}
    </div>`;
}

export function Plan({ what }) {
  const state = useDocument(`plan?number=${encodeURIComponent(what)}`, 0);
  const p = state.data;
  if (!p) return html`<${Wait} state=${state} />`;
  const whole = p.findings.filter((f) => !f.node);
  return html`
    <p><a href="#slow">All plans</a></p>
    <section>
      <pre class="sql" tabindex="0">${p.text}</pre>
      <dl class="facts">
        <dt>Statement</dt><dd><a href="#statements/${p.shape}">${p.shape}</a>, ${p.database} as ${p.user}</dd>
        <dt>Took</dt><dd>${ms(p.observed)}, ${ago(p.at)}</dd>
        <dt>Plan</dt><dd>${p.plan || '–'}${p.flipped ? ', another than the time before' : ''}</dd>
        ${p.source === 'auto_explain' ? html`<dt>Executed</dt><dd>${p.reason}</dd>` : p.analyzed ? html`<dt>Executed again</dt><dd>${ms(p.execution)}, planning ${ms(p.planning)}${p.jit ? `, compiling ${ms(p.jit)}` : ''}</dd>` : html`<dt>Not executed again</dt><dd>${p.reason}</dd>`}
        ${p.generic_cost > 0 && html`<dt>Without the parameters’ values</dt><dd>cost ${count(p.generic_cost)}</dd>`}
      </dl>
      ${whole.length > 0 && html`<${Notes} findings=${whole} />`}
    </section>
    ${p.nodes.length > 0 && html`<section><h2>Steps (${p.nodes.length})</h2><${Tree} plan=${p} /></section>`}`;
}
