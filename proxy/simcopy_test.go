package proxy

import (
	"fmt"
	"strings"

	"github.com/pgjay/pgjay/proxy/wire"
)

// copy begins "t FROM STDIN [fail N]" or does "t TO STDOUT".
func (v *simServer) copy(rest string) bool {
	if strings.Contains(rest, "TO STDOUT") {
		v.data(wire.CopyOutResponse, "\x00\x00\x00")
		v.data(wire.CopyData, rest)
		v.data(wire.CopyData, rest)
		v.out = wire.AppendEmpty(v.out, wire.CopyDone)
		return v.complete("COPY 2")
	}
	v.copyLeft, v.copied = -1, 0
	if _, n, ok := strings.Cut(rest, "-- fail "); ok {
		_, _ = fmt.Sscan(n, &v.copyLeft)
	}
	v.data(wire.CopyInResponse, "\x00\x00\x00")
	if v.copyLeft == 0 {
		return v.fail("22P02", "copy failed at once")
	}
	v.copying = true
	return true
}

func (v *simServer) copyMessage(typ byte) {
	if v.simple && v.told() {
		v.copyEnds(v.failCanceled())
		return
	}
	switch typ {
	case wire.CopyData:
		v.copied++
		if v.copyLeft--; v.copyLeft == 0 {
			v.copyEnds(v.fail("22P02", "bad copy data"))
		}
	case wire.CopyDone:
		v.copyEnds(v.complete(fmt.Sprintf("COPY %d", v.copied)))
	case wire.CopyFail:
		v.copyEnds(v.fail("57014", "copy failed"))
	case wire.Sync, wire.Flush:
	case wire.Terminate:
		v.dead = true
	default:
		v.fail("08P01", "unexpected message")
		v.out = (&wire.Error{Severity: "FATAL", Code: "08P01", Message: "synchronization lost"}).Append(v.out)
		v.dead = true
	}
}

func (v *simServer) copyEnds(bool) {
	v.copying = false
	if v.simple {
		v.endImplicit()
		v.ready()
	}
}
