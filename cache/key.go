package cache

import (
	"encoding/binary"
	"hash/maphash"
)

// A Key stands for everything that an answer depends on besides the database's
// contents. Two different keys of one process are equal with a chance of 2^-128,
// also for somebody who tries: the seeds are secret.
type Key struct{ Lo, Hi uint64 }

var seedLo, seedHi = maphash.MakeSeed(), maphash.MakeSeed()

// A Hasher makes Keys of fields. Each field has its kind and length in front, so
// that fields cannot run into each other. It is for one goroutine, and allocates
// nothing once it has seen a long key. The zero Hasher is ready.
type Hasher struct{ buf []byte }

// maxKept is the longest buffer that a Hasher keeps.
const maxKept = 64 << 10

// Reset begins a new key.
func (h *Hasher) Reset() {
	if cap(h.buf) > maxKept {
		h.buf = nil
	}
	h.buf = h.buf[:0]
}

// The kinds of fields.
const (
	fieldNumber = 'n'
	fieldBytes  = 'b'
)

// Uint64 adds a number.
func (h *Hasher) Uint64(n uint64) { h.field(fieldNumber, n) }

// Bytes adds a byte string, of which nothing is kept.
func (h *Hasher) Bytes(b []byte) {
	h.field(fieldBytes, uint64(len(b)))
	h.buf = append(h.buf, b...)
}

// String adds a string, which is the same field as its bytes.
func (h *Hasher) String(s string) {
	h.field(fieldBytes, uint64(len(s)))
	h.buf = append(h.buf, s...)
}

func (h *Hasher) field(kind byte, n uint64) {
	h.buf = binary.LittleEndian.AppendUint64(append(h.buf, kind), n)
}

// Sum returns the key of the fields since Reset.
func (h *Hasher) Sum() Key {
	return Key{Lo: maphash.Bytes(seedLo, h.buf), Hi: maphash.Bytes(seedHi, h.buf)}
}
