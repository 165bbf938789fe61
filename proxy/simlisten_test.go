package proxy

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pgjay/pgjay/proxy/wire"
)

// simBus is the queue of notifications of a database.
type simBus struct {
	servers []*simServer
	sent    []simNote // in the order in which they were committed
}

type simNote struct{ channel, payload string }

// simListening is what a server process listens to and notifies.
type simListening struct {
	bus      *simBus
	pid      uint32
	channels map[string]bool
	listens  []simNote // LISTEN and UNLISTEN of the transaction: payload is the command
	notes    []simNote // NOTIFY of the transaction
	inbox    []byte    // what the client has not been told
}

// join has a process take part.
func (b *simBus) join(v *simServer) {
	v.simListening = simListening{bus: b, pid: v.pid, channels: map[string]bool{}}
	b.servers = append(b.servers, v)
}

// notify does LISTEN, UNLISTEN and NOTIFY, which count when they are committed.
func (v *simServer) notify(word, rest string) bool {
	rest = strings.ReplaceAll(rest, `"`, "")
	if word == "NOTIFY" {
		channel, payload, _ := strings.Cut(rest, ", ")
		v.notes = append(v.notes, simNote{channel, strings.Trim(payload, "'")})
		v.undo = append(v.undo, func() { v.notes = v.notes[:len(v.notes)-1] })
		return v.complete(word)
	}
	v.listens = append(v.listens, simNote{rest, word})
	v.undo = append(v.undo, func() { v.listens = v.listens[:len(v.listens)-1] })
	return v.complete(word)
}

// commitNotes is called when the transaction is committed.
func (v *simServer) commitNotes() {
	for _, l := range v.listens {
		switch {
		case l.payload == "LISTEN":
			v.channels[l.channel] = true
		case l.channel == "*":
			clear(v.channels)
		default:
			delete(v.channels, l.channel)
		}
	}
	for _, n := range v.notes {
		v.bus.sent = append(v.bus.sent, n)
		for _, to := range v.bus.servers {
			if to.channels[n.channel] {
				body := append(binary.BigEndian.AppendUint32(nil, v.pid), n.channel+"\x00"+n.payload+"\x00"...)
				to.inbox = wire.AppendFrame(to.inbox, wire.NotificationResponse, string(body))
			}
		}
	}
	v.listens, v.notes = nil, nil
}

// tell gives the client its notifications.
func (v *simServer) tell() bool {
	told := len(v.inbox) > 0
	v.out = append(v.out, v.inbox...)
	v.inbox = nil
	return told
}

// rests reports whether the process waits for the client and is in no transaction.
func (v *simServer) rests() bool {
	return v.status == 'I' && !v.amid && !v.skipping && !v.copying && !v.busy && !v.dead
}

// channelRows is the part of the answer to the proxy's question about channels.
func (v *simServer) channelRows() {
	for _, name := range slices.Sorted(maps.Keys(v.channels)) {
		v.row("left", "listen", hex.EncodeToString([]byte(name)))
	}
}

// listening is an exchange that has to do with notifications. Each NOTIFY is executed
// once.
func (w *scriptWriter) listening() {
	channel := []string{"a", "b"}[w.rng.IntN(2)]
	one := func() string {
		switch w.rng.IntN(8) {
		case 0, 1:
			return "LISTEN " + channel
		case 2:
			return "UNLISTEN " + channel
		case 3:
			return "UNLISTEN *"
		}
		return "NOTIFY " + channel + ", " + w.tag()
	}
	switch w.rng.IntN(6) {
	case 0:
		w.query(one() + "; " + one())
	case 1:
		w.query("BEGIN; " + one() + "; " + one())
		w.query("SELECT " + w.tag())
		w.query([]string{"COMMIT", "COMMIT", "ROLLBACK"}[w.rng.IntN(3)])
	case 2:
		for range 1 + w.rng.IntN(3) {
			w.out = wire.AppendExecute(wire.AppendBindText(wire.AppendParse(w.out, "", one()), ""))
		}
		w.out = wire.AppendEmpty(w.out, wire.Sync)
		w.out = wire.AppendEmpty(wire.AppendParse(w.out, "", "SELECT "+w.tag()), wire.Sync)
	default:
		w.query(one())
	}
}

// simMark says how many notifications had been committed when so many bytes had gone.
type simMark struct{ bytes, committed int }

// at returns how many had been when the byte went.
func at(marks []simMark, byte int) int {
	i, _ := slices.BinarySearchFunc(marks, byte+1, func(m simMark, b int) int { return m.bytes - b })
	if i == len(marks) {
		return 1 << 30
	}
	return marks[i].committed
}

// simExchange is what a client has done up to a ReadyForQuery, by its twin.
type simExchange struct {
	from     int // where it begins in the script
	idle     bool
	channels map[string]bool
}

func (c *simClient) exchanges(v *simServer, from int) (all []simExchange) {
	begin := from
	for to := from; to < len(c.script); {
		n, _ := wire.FrameLen(c.script[to:])
		to += n
		v.out = v.out[:0]
		v.feed(c.script[to-n : to])
		if endsWithReady(v.out) {
			all = append(all, simExchange{begin, v.out[len(v.out)-1] == 'I', maps.Clone(v.channels)})
			begin = to
		}
	}
	return all
}

// since returns from which exchange up to k the client listens to a channel without a
// break; k+1 if it does not.
func since(exchanges []simExchange, k int, channel string) int {
	for k >= 0 && exchanges[k].channels[channel] {
		k--
	}
	return k + 1
}

// checkNotes holds that a client is notified of what is committed while it listens,
// once, in the order of the commits, and before the end of an exchange that it has
// begun later, also if it stops to listen in that.
func (m *sim) checkNotes(c *simClient, v *simServer, from int) {
	exchanges := append([]simExchange{{}}, c.exchanges(v, from)...)
	ends, told := m.checkTold(c, exchanges)
	for k := 2; k < min(len(ends), len(exchanges)); k++ {
		for seq, note := range m.bus.sent[:at(c.sentAt, exchanges[k].from)] {
			listens := since(exchanges, k-1, note.channel)
			ends := ends[min(listens, k-1)] - 1
			outside, stays := exchanges[k-1].idle, exchanges[k].channels[note.channel]
			if listens >= k || !exchanges[k].idle || !outside && !stays || seq < at(c.gotAt, ends) {
				continue
			}
			if before, ok := told[note.payload]; !ok || before > k {
				m.t.Errorf("client %d is not told of %v by the end of its exchange %d, which began later", c.id, note, k)
			}
		}
	}
}

// checkTold looks at what a client was told, and returns where in what it got its
// exchanges end, and before the end of which one each notification came.
func (m *sim) checkTold(c *simClient, exchanges []simExchange) (ends []int, told map[string]int) {
	got, _ := greeting(c.got)
	ends, told = []int{len(c.got) - len(got)}, make(map[string]int)
	last := -1
	for pos := ends[0]; pos < len(c.got); {
		n, _ := wire.FrameLen(c.got[pos:])
		frame := c.got[pos : pos+n]
		pos += n
		switch frame[0] {
		case wire.ReadyForQuery:
			ends = append(ends, pos)
		case wire.NotificationResponse:
			note := noteOf(frame)
			seq, k := slices.Index(m.bus.sent, note), min(len(ends), len(exchanges)-1)
			of := k // an UNLISTEN may be under way
			if !exchanges[k].channels[note.channel] {
				of--
			}
			listens := since(exchanges, of, note.channel)
			switch {
			case seq <= last:
				m.t.Errorf("client %d is told of %v behind one that was committed later", c.id, note)
			case listens > of:
				m.t.Errorf("client %d is told of %v, to which it does not listen", c.id, note)
			case seq < at(c.sentAt, exchanges[listens].from):
				m.t.Errorf("client %d is told of %v from before its LISTEN", c.id, note)
			}
			last, told[note.payload] = seq, k
		}
	}
	return ends, told
}

func noteOf(frame []byte) simNote {
	channel, rest, _ := wire.CString(frame[wire.HeaderLen+4:])
	payload, _, _ := wire.CString(rest)
	return simNote{string(channel), string(payload)}
}

// ownNotes leaves out what others have notified, and from which process it came.
func ownNotes(p []byte, id int) (out []byte) {
	for len(p) > 0 {
		n, ok := wire.FrameLen(p)
		if !ok || n < 0 || n > len(p) {
			return append(out, p...)
		}
		at := len(out)
		if p[0] != wire.NotificationResponse {
			out = append(out, p[:n]...)
		} else if strings.HasPrefix(noteOf(p[:n]).payload, fmt.Sprintf("c%d-", id)) {
			out = append(out, p[:n]...)
			clear(out[at+wire.HeaderLen : at+wire.HeaderLen+4])
		}
		p = p[n:]
	}
	return out
}
