package cache

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Bytes is a number of bytes, written as 256MB, 64KB, 2GB, 1TB or a plain number.
// A KB is 1024 bytes, as in postgresql.conf.
type Bytes int64

// Units of Bytes.
const (
	KB Bytes = 1 << 10
	MB Bytes = 1 << 20
	GB Bytes = 1 << 30
	TB Bytes = 1 << 40
)

var byteUnits = []struct {
	name string
	unit Bytes
}{{"TB", TB}, {"GB", GB}, {"MB", MB}, {"KB", KB}, {"kB", KB}, {"B", 1}, {"", 1}}

// ParseBytes reads what String writes, and the same with a space before the unit.
func ParseBytes(text string) (Bytes, error) {
	for _, u := range byteUnits {
		digits, ok := strings.CutSuffix(text, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSuffix(digits, " "), 10, 64)
		if err != nil || n < 0 || Bytes(n) > math.MaxInt64/u.unit {
			break
		}
		return Bytes(n) * u.unit, nil
	}
	return 0, fmt.Errorf("%q is not a number of bytes such as 256MB, 64KB or 1000", text)
}

// String writes b in the largest unit that it is a whole number of.
func (b Bytes) String() string {
	for _, u := range byteUnits {
		if b != 0 && u.unit > 1 && b%u.unit == 0 {
			return strconv.FormatInt(int64(b/u.unit), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(b), 10)
}
