package proxy

import (
	"hash/maphash"

	"github.com/pgjay/pgjay/monitor/digest"
)

// portals are those of the transaction, for the monitor: an Execute that goes on with a portal
// which was bound in an exchange before, or was to have some of its rows only, is of the same
// statement, and no call of its own.
type portals struct {
	exchange uint32 // that is under way; it is their number
	unnamed  portal
	named    *[8]portal // the last ones; nil: there was none
	next     int        // of these, which is the next to go
}

// portal is one of them.
type portal struct {
	name     uint64        // its hash
	shape    *digest.Shape // nil: it is none
	exchange uint32        // in which it was bound
	executed bool
}

// bind notes a portal that a Bind has made.
func (p *portals) bind(name []byte, sh *digest.Shape) {
	if len(name) == 0 {
		p.unnamed = portal{shape: sh, exchange: p.exchange}
		return
	}
	made := portal{name: maphash.Bytes(observeSeed, name), shape: sh, exchange: p.exchange}
	if p.named == nil {
		p.named = new([8]portal)
	}
	at := p.find(made.name)
	if at == nil {
		at = &p.named[p.next%len(p.named)]
		p.next++
	}
	*at = made
}

func (p *portals) find(name uint64) *portal {
	if p.named == nil {
		return nil
	}
	for i := range p.named {
		if at := &p.named[i]; at.name == name && at.shape != nil {
			return at
		}
	}
	return nil
}

// execute notes an Execute, and returns what it goes on with; nil: it is what its Bind has
// told of, or is not known.
func (p *portals) execute(name []byte) *digest.Shape {
	at := &p.unnamed
	if len(name) > 0 {
		if at = p.find(maphash.Bytes(observeSeed, name)); at == nil {
			return nil
		}
	}
	begins := !at.executed && at.exchange == p.exchange
	at.executed = true
	if begins {
		return nil
	}
	return at.shape
}

// ends notes the end of an exchange, and perhaps that of the transaction.
func (p *portals) ends(transaction bool) {
	p.exchange++
	if transaction {
		p.unnamed.shape = nil
		if p.named != nil {
			clear(p.named[:])
		}
	}
}
