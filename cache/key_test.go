package cache

import (
	"strings"
	"testing"
)

// TestKeys: contract C6, trap 12. All of these are different keys.
func TestKeys(t *testing.T) {
	number := func(n uint64) string { return string([]byte{byte(n), byte(n >> 8), 0, 0, 0, 0, 0, 0}) }
	seen := make(map[Key]int)
	lo, hi := make(map[uint64]bool), make(map[uint64]bool)
	for i, fields := range [][]any{
		{}, {""}, {"", ""}, {"a"}, {"a", ""}, {"", "a"}, {"ab", "c"}, {"a", "bc"}, {"abc"}, {"ABC"}, {"abc", "d"},
		{uint64(0)}, {uint64(1)}, {uint64(1), uint64(2)}, {uint64(2), uint64(1)}, {number(1)}, {number(1), number(2)},
		{uint64(1), "a"}, {"a", uint64(1)}, {"\x00"}, {"\x00\x00"}, {strings.Repeat("x", 1000)}, {strings.Repeat("x", 1001)},
		{uint64('b'), ""}, {"b" + number(0)}, {"", "b" + number(1)},
	} {
		var h Hasher
		for _, f := range fields {
			switch f := f.(type) {
			case string:
				h.String(f)
			case uint64:
				h.Uint64(f)
			}
		}
		k := h.Sum()
		if before, again := seen[k]; again {
			t.Errorf("%q has the key of number %d", fields, before)
		}
		if k.Lo == k.Hi || lo[k.Lo] || hi[k.Hi] {
			t.Errorf("half of the key of %q is there twice", fields)
		}
		seen[k], lo[k.Lo], hi[k.Hi] = i, true, true
	}
}

func TestHasherIsReused(t *testing.T) {
	var h Hasher
	want := key("one", "two")
	for range 3 {
		h.Reset()
		h.Bytes(make([]byte, maxKept))
		h.Sum()
		h.Reset()
		h.Bytes([]byte("one"))
		h.String("two")
		if h.Sum() != want {
			t.Error("the key depends on what was there before")
		}
	}
	if cap(h.buf) > maxKept {
		t.Errorf("%d bytes are kept", cap(h.buf))
	}
}

func TestBytes(t *testing.T) {
	for text, want := range map[string]Bytes{"0": 0, "1": 1, "1000": 1000, "1024": KB, "1KB": KB, "1kB": KB, "256MB": 256 * MB,
		"256 MB": 256 * MB, "3GB": 3 * GB, "2TB": 2 * TB, "17B": 17} {
		got, err := ParseBytes(text)
		if err != nil || got != want {
			t.Errorf("%q is %d, %v", text, got, err)
		}
		if again, err := ParseBytes(got.String()); err != nil || again != got {
			t.Errorf("%q is written as %q", text, got)
		}
	}
	for _, text := range []string{"", "MB", "-1", "1.5GB", "1 kb", "1  MB", "99999999TB", "1e3", "0x10"} {
		if got, err := ParseBytes(text); err == nil {
			t.Errorf("%q is %d", text, got)
		}
	}
	for b, want := range map[Bytes]string{0: "0", 1000: "1000", KB: "1KB", 256 * MB: "256MB", 1536: "1536", 2 * TB: "2TB"} {
		if b.String() != want {
			t.Errorf("%d is written as %q", int64(b), b)
		}
	}
}
