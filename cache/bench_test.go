package cache

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// benchCache has n answers of some 200 bytes, as of pgbench's SELECT, that depend
// on one table.
func benchCache(b testing.TB, n int, core string) (c *Cache, shape *Shape, keys []Key) {
	c = newCache(b, func(cfg *Config) { cfg.Size = 256 * MB })
	shape = c.NewShape("select")
	shape.SetTables([]*Word{c.Space("db").Table(16384)})
	shape.Hit(2000)
	st := stamp(b, c.Space("db"), 16384)
	for i := range n {
		keys = append(keys, key(fmt.Sprint(i)))
		e := c.NewEntry(Answer{Core: []byte(core), Stamp: st, Fresh: int64(time.Hour), Cost: 40_000, Shape: shape})
		if r := c.Put(keys[i], e, 0); r != NoReason {
			b.Fatal(r)
		}
		c.store.Wait()
	}
	return c, shape, keys
}

const benchCore = "T\x00\x00\x00\x21\x00\x01abalance\x00\x00\x00\x40\x00\x00\x03\x00\x00\x00\x17\x00\x04\xff\xff\xff\xff\x00\x00" +
	"D\x00\x00\x00\x0b\x00\x01\x00\x00\x00\x010C\x00\x00\x00\x0dSELECT 1\x00"

func BenchmarkVersionCheck(b *testing.B) {
	for _, tables := range []int{1, 3, 8} {
		b.Run(fmt.Sprint(tables), func(b *testing.B) {
			oids := make([]uint32, tables)
			for i := range oids {
				oids[i] = uint32(16384 + i)
			}
			st := stamp(b, new(Space), oids...)
			for b.Loop() {
				if !st.Current() {
					b.Fatal("not current")
				}
			}
		})
	}
}

func BenchmarkStamp(b *testing.B) {
	s := new(Space)
	oids := []uint32{16384, 16385}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := s.Stamp(oids); !ok {
			b.Fatal("not stable")
		}
	}
}

func BenchmarkBeginEnd(b *testing.B) {
	var w Word
	for b.Loop() {
		w.Begin()
		w.End()
	}
}

// BenchmarkKey is the key of a prepared statement with one parameter, and of a
// text of 180 bytes.
func BenchmarkKey(b *testing.B) {
	for _, text := range []string{"123456", strings.Repeat("x", 180)} {
		b.Run(fmt.Sprint(len(text)), func(b *testing.B) {
			var h Hasher
			text := []byte(text)
			b.ReportAllocs()
			for b.Loop() {
				h.Reset()
				h.Uint64(1)
				h.Uint64(2)
				h.Uint64(3)
				h.Uint64(4)
				h.Bytes(text)
				h.Sum()
			}
		})
	}
}

// BenchmarkGet looks up one key, or one after the other in an order that the
// processor cannot guess.
func BenchmarkGet(b *testing.B) {
	for _, n := range []int{1, 1000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c, _, keys := benchCache(b, n, benchCore)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i = (i*1103515245 + 12345) & (1<<31 - 1)
				if _, o := c.Get(keys[i/256%n], 1); o != Hit {
					b.Fatal(o)
				}
			}
		})
	}
}

// BenchmarkGetParallel is one hot key on all cores.
func BenchmarkGetParallel(b *testing.B) {
	c, _, keys := benchCache(b, 1, benchCore)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c.Get(keys[0], 1)
		}
	})
}

func BenchmarkMiss(b *testing.B) {
	c, _, _ := benchCache(b, 1, benchCore)
	k := key("absent")
	b.ReportAllocs()
	for b.Loop() {
		c.Get(k, 1)
	}
}

// BenchmarkHit is all that a hit costs here: admission, key, look-up, and the
// frames appended to a buffer.
func BenchmarkHit(b *testing.B) {
	c, shape, keys := benchCache(b, 1000, benchCore)
	_ = keys
	var h Hasher
	var out []byte
	names := make([][]byte, 1000)
	for i := range names {
		names[i] = []byte(fmt.Sprint(i))
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		if !shape.Admit(1) {
			b.Fatal("not admitted")
		}
		h.Reset()
		h.Bytes(names[i%1000])
		e, o := c.Get(h.Sum(), 1)
		if o != Hit {
			b.Fatal(o)
		}
		out = e.AppendTo(out[:0])
	}
}

func BenchmarkPut(b *testing.B) {
	for _, size := range []int{len(benchCore), 900, 10_000, 100_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			c, shape, _ := benchCache(b, 1, benchCore)
			st := stamp(b, c.Space("db"), 16384)
			core := []byte(strings.Repeat(benchCore, size/len(benchCore)))
			var h Hasher
			b.ReportAllocs()
			n := uint64(0)
			for b.Loop() {
				n++
				h.Reset()
				h.Uint64(n % 10_000)
				c.Put(h.Sum(), c.NewEntry(Answer{Core: core, Stamp: st, Fresh: int64(time.Hour), Shape: shape}), 0)
			}
		})
	}
}

// BenchmarkUnpack is a hit on a compressed answer of 100 KB.
func BenchmarkUnpack(b *testing.B) {
	c := newCache(b)
	e := c.NewEntry(Answer{Core: []byte(strings.Repeat(benchCore, 100_000/len(benchCore))), Shape: c.NewShape("s")})
	var out []byte
	b.SetBytes(int64(e.Size()))
	b.ReportAllocs()
	for b.Loop() {
		out = e.AppendTo(out[:0])
	}
}

func BenchmarkFlight(b *testing.B) {
	c := newCache(b)
	st := stamp(b, c.Space("db"), 1)
	k, w := key("q"), new(fakeWaiter)
	b.ReportAllocs()
	for b.Loop() {
		f, _ := c.Join(k, st, w)
		f.Fill(nil)
	}
}

func BenchmarkStripComments(b *testing.B) {
	const sql = "SELECT c.id, c.name FROM contacts c JOIN tenants t ON t.id = c.tenant_id WHERE c.email = 'ada@example.com' AND t.name = 'Lovelace - Babbage' ORDER BY c.id LIMIT 10"
	for name, text := range map[string]string{"none": sql, "sqlcommenter": sql + " /*traceparent='00-5bd66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2-01'*/"} {
		b.Run(name, func(b *testing.B) {
			text := []byte(text)
			var buf []byte
			b.ReportAllocs()
			for b.Loop() {
				if out, stripped := StripComments(buf[:0], text, true); stripped {
					buf = out
				}
			}
		})
	}
}

// BenchmarkPacked is a list of n rows that is kept compressed, and served.
func BenchmarkPacked(b *testing.B) {
	for _, n := range []int{25, 100, 500, 5000} {
		core := benchRows(n)
		b.Run(fmt.Sprint("put ", n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(core)))
			for b.Loop() {
				b.ReportMetric(100-100*float64(len(pack(core)))/float64(len(core)), "%saved")
			}
		})
		packed := pack(core)
		dst := make([]byte, 0, len(core))
		b.Run(fmt.Sprint("serve ", n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(core)))
			for b.Loop() {
				appendUnpacked(dst, packed, len(core))
			}
		})
	}
}

// benchRows are rows as of a list of contacts: numbers, names, addresses and times.
func benchRows(n int) []byte {
	rng := rand.New(rand.NewPCG(1, 2))
	names := []string{"Anna", "Bernadette", "Chloe", "Dimitri", "Eve", "Francesco", "Giulia", "Hugo", "Ines", "Jakob"}
	var core []byte
	for i := range n {
		first, last := names[rng.IntN(len(names))], names[rng.IntN(len(names))]
		row := &pgproto3.DataRow{Values: [][]byte{
			fmt.Append(nil, 1000+i*3+rng.IntN(3)), fmt.Append(nil, rng.IntN(5000)), []byte(first), []byte(last),
			fmt.Appendf(nil, "%s.%s%d@example.org", first, last, rng.IntN(1000)),
			time.Unix(1.7e9+rng.Int64N(1e7), 0).UTC().AppendFormat(nil, "2006-01-02 15:04:05-07"),
		}}
		core, _ = row.Encode(core)
	}
	return core
}
