package cache

import (
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// Answers are packed as zstd frames (RFC 8878), by its fastest level: rows are mostly
// lengths, digits and names, which S2 and LZ4, without entropy coding, shorten by half
// only. Encoders and decoders are kept for each processor, as those of the library that
// are shared wait for each other.
var (
	encoders = sync.Pool{New: func() any {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
			zstd.WithEncoderCRC(false), zstd.WithWindowSize(256<<10), zstd.WithLowerEncoderMem(true))
		if err != nil {
			panic("cache: zstd: " + err.Error()) // its options are wrong
		}
		return &encoder{zstd: e}
	}}
	decoders = sync.Pool{New: func() any {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
		if err != nil {
			panic("cache: zstd: " + err.Error()) // its options are wrong
		}
		return d
	}}
)

// An encoder has what is needed to pack one answer at a time.
type encoder struct {
	zstd *zstd.Encoder
	buf  []byte
}

// pack returns core compressed, or nil if that does not save 30 %.
func pack(core []byte) []byte {
	e := encoders.Get().(*encoder)
	defer encoders.Put(e)
	e.buf = e.zstd.EncodeAll(core, e.buf[:0])
	if len(e.buf) > len(core)/10*7 {
		return nil
	}
	return slices.Clone(e.buf)
}

// appendUnpacked appends what core was packed from, size bytes, to dst.
func appendUnpacked(dst, core []byte, size int) []byte {
	d := decoders.Get().(*zstd.Decoder)
	defer decoders.Put(d)
	dst, err := d.DecodeAll(core, slices.Grow(dst, size))
	if err != nil {
		panic("cache: an entry does not unpack: " + err.Error()) // we packed it: memory is broken
	}
	return dst
}

// unpackOneIn is in how many hits an entry that is kept compressed is unpacked for good,
// so that what is asked for again and again is copied as it is.
const unpackOneIn = 16

// unpacked returns the entry, or as it may be now and then, one with the same answer that
// is not compressed and has taken its place: while half of the cache is free. Where it is
// not, more answers are worth more than faster ones.
func (c *Cache) unpacked(k Key, e *Entry, now int64) *Entry {
	if !e.packed || rand.Uint32N(unpackOneIn) != 0 || c.bytes.Load()+int64(e.size) > int64(c.cfg.Load().Size)/2 {
		return e
	}
	plain := &Entry{facts: e.facts, core: appendUnpacked(nil, e.core, e.size)}
	plain.refreshed.Store(e.refreshed.Load())
	c.put(k, plain, now)
	return plain
}
