package proxy

import (
	"encoding/binary"
	"fmt"
	"math"
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
	case oidText, oidBool, oidInt4, oidInt8, oidFloat8:
		return true
	}
	return false
}

// consoleBinary is the binary form of a value.
func consoleBinary(oid uint32, value any) []byte {
	switch v := value.(type) {
	case int64:
		if oid == oidInt4 {
			return binary.BigEndian.AppendUint32(nil, uint32(v))
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
