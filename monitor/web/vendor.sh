#!/bin/bash
# Copies into static/vendor what the dashboard uses of the packages in package.json,
# with their licences, and notes the hashes of the copies. `make web` runs it.
set -euo pipefail
cd "$(dirname "$0")"
npm ci --ignore-scripts --no-audit --no-fund --silent
from=node_modules to=static/vendor
mkdir -p $to
cp $from/htm/preact/standalone.module.js $to/preact.js
cp $from/htm/LICENSE $to/LICENSE.htm
cp $from/preact/LICENSE $to/LICENSE.preact
cp $from/uplot/dist/uPlot.esm.js $to/uplot.js
cp $from/uplot/dist/uPlot.min.css $to/uplot.css
cp $from/uplot/LICENSE $to/LICENSE.uplot
(cd $to && sha256sum -- *.js *.css LICENSE.* >SHA256SUMS)
