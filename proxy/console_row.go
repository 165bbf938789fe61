package proxy

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/pgjay/pgjay/proxy/wire"
)

// appendConsoleRow appends a DataRow with values as the columns want them.
func appendConsoleRow(dst []byte, columns []wire.Column, row []any) []byte {
	values := make([][]byte, len(columns))
	for i, c := range columns {
		switch {
		case row[i] == nil:
		case c.Binary:
			values[i] = consoleBinary(c.Type, row[i])
		default:
			values[i] = consoleText(row[i])
		}
	}
	return wire.AppendDataRow(dst, values)
}

// consoleText is a value as PostgreSQL writes it.
func consoleText(value any) []byte {
	switch v := value.(type) {
	case string:
		return append([]byte{}, v...)
	case int64:
		return strconv.AppendInt(nil, v, 10)
	case float64:
		return strconv.AppendFloat(nil, v, 'g', -1, 64)
	case bool:
		if v {
			return []byte("t")
		}
		return []byte("f")
	}
	panic(fmt.Sprintf("proxy: a console's value of type %T", value))
}

// hasBinary reports whether there is a binary form of the type.
func hasBinary(oid uint32) bool {
	switch oid {
	case oidText, oidBytea, oidBool, oidInt4, oidInt8, oidFloat8, oidNumeric:
		return true
	}
	return false
}

// consoleBinary is the binary form of a value.
func consoleBinary(oid uint32, value any) []byte {
	switch v := value.(type) {
	case int64:
		switch oid {
		case oidInt4:
			return binary.BigEndian.AppendUint32(nil, uint32(v))
		case oidNumeric:
			return numericBinary(v)
		}
		return binary.BigEndian.AppendUint64(nil, uint64(v))
	case float64:
		return binary.BigEndian.AppendUint64(nil, math.Float64bits(v))
	case bool:
		if v {
			return []byte{1}
		}
		return []byte{0}
	}
	return consoleText(value)
}

// numericBinary is a whole number as PostgreSQL's numeric, in digits of base 10,000.
func numericBinary(v int64) []byte {
	const base = 10000
	sign, rest := uint16(0), uint64(v)
	if v < 0 {
		sign, rest = 0x4000, -rest
	}
	var digits []uint16 // the last one first
	for ; rest > 0; rest /= base {
		digits = append(digits, uint16(rest%base))
	}
	out := binary.BigEndian.AppendUint16(nil, uint16(len(digits)))
	out = binary.BigEndian.AppendUint16(out, uint16(max(len(digits)-1, 0))) // the first one's weight
	out = binary.BigEndian.AppendUint16(out, sign)
	out = binary.BigEndian.AppendUint16(out, 0) // digits behind the point
	for _, d := range slices.Backward(digits) {
		out = binary.BigEndian.AppendUint16(out, d)
	}
	return out
}
