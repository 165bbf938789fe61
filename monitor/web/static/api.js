// What pages know of the server: documents that are asked for again and again, and the
// figures that come by themselves.

import { useEffect, useState } from './vendor/preact.js';

export async function get(name) {
  const answer = await fetch(`api/${name}`, { headers: { Accept: 'application/json' } });
  if (!answer.ok) throw new Error((await answer.text()).trim() || answer.statusText);
  return answer.json();
}

// useDocument returns a document and keeps it fresh while the page is shown; every is
// in seconds, 0: it does not change.
export function useDocument(name, every = 3) {
  const [state, set] = useState({ name: null, data: null, error: null });
  useEffect(() => {
    let timer = 0;
    let ended = false;
    const ask = async () => {
      try {
        if (!document.hidden || state.data === null) {
          const data = await get(name);
          if (!ended) set({ name, data, error: null });
        }
      } catch (error) {
        if (!ended) set((old) => ({ name, data: old.name === name ? old.data : null, error: error.message }));
      }
      if (!ended && every) timer = setTimeout(ask, every * 1000);
    };
    ask();
    return () => { ended = true; clearTimeout(timer); };
  }, [name, every]);
  return state.name === name ? state : { name, data: null, error: null };
}

const KEEP = 15 * 60;

// live has the figures of each second. It is one stream for all pages.
const live = { moments: [], connected: false, listeners: new Set() };

function changed() {
  for (const listener of live.listeners) listener();
}

export function connect() {
  const stream = new EventSource('api/live');
  stream.addEventListener('past', (e) => {
    live.moments = JSON.parse(e.data) ?? [];
    live.connected = true;
    changed();
  });
  stream.addEventListener('moment', (e) => {
    live.moments = [...live.moments.slice(1 - KEEP), JSON.parse(e.data)];
    changed();
  });
  stream.onerror = () => {
    live.connected = false;
    changed();
    if (stream.readyState === EventSource.CLOSED) setTimeout(connect, 5000); // it was refused
  };
}

export function useLive() {
  const [, redraw] = useState(0);
  useEffect(() => {
    const listener = () => redraw((n) => n + 1);
    live.listeners.add(listener);
    return () => live.listeners.delete(listener);
  }, []);
  return live;
}
