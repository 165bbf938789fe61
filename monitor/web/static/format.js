// Numbers, times and sizes for people.

const plain = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

export const count = (n) => (n >= 100000 ? short : plain).format(n ?? 0);

// duration takes seconds.
export function duration(s) {
  if (!s) return '0';
  if (s < 1e-3) return `${plain.format(s * 1e6)} µs`;
  if (s < 1) return `${plain.format(s * 1e3)} ms`;
  if (s < 120) return `${plain.format(s)} s`;
  if (s < 7200) return `${plain.format(s / 60)} min`;
  return `${plain.format(s / 3600)} h`;
}

export const ms = (n) => duration(n / 1000);

export function bytes(n) {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let i = 0;
  for (n ??= 0; n >= 1024 && i < units.length - 1; i++) n /= 1024;
  return `${plain.format(n)} ${units[i]}`;
}

export const percent = (part, whole) => (whole ? `${plain.format((100 * part) / whole)} %` : '–');

export function ago(time) {
  const at = Date.parse(time);
  return at > 0 ? `${duration(Math.max((Date.now() - at) / 1000, 0))} ago` : '–';
}
