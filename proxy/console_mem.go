package proxy

import (
	"runtime/metrics"

	"github.com/pgjay/pgjay/proxy/reactor"
)

// showMem says what memory is used for, as far as that is known: size is that of one
// piece, and memtotal what all take.
var showMem = consoleCommand{
	words: "SHOW MEM", tag: "SHOW", run: memRows, columns: bouncerColumns("siiii", "name", "size", "used", "free", "memtotal"),
}

func memRows(call *consoleCall) (consoleAnswer, error) {
	samples := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/free:bytes"}}
	metrics.Read(samples)
	kib := func(i int) int64 { return int64(samples[i].Value.Uint64() >> 10) }
	rows := [][]any{
		{"loop_buffer", int64(reactor.BufferSize), int64(len(call.stations)), int64(0), int64(reactor.BufferSize * len(call.stations))},
		{"heap_kib", int64(1024), kib(0), kib(1), kib(0) + kib(1)},
	}
	if c := call.databases.cache; c != nil {
		st := c.Stat()
		rows = append(rows, []any{"cache_kib", int64(1024), st.Bytes >> 10, (int64(st.Limit) - st.Bytes) >> 10, st.Bytes >> 10})
	}
	return consoleAnswer{rows: rows}, nil
}
