package proxy

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// What a session's statements take is what its names do, each text once, whatever
// has become of them.
func TestStatementBytes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	bodies := bodies{memo: sqlparse.NewMemo(1 << 20)}
	var clients [2]statements
	for range 10000 {
		c := &clients[random.IntN(2)]
		name := fmt.Sprint("s", random.IntN(5))[:random.IntN(3)]
		to := statement{token: uint64(1 + random.IntN(2))}
		if random.IntN(3) > 0 {
			to = statement{body: bodies.get(fmt.Appendf(nil, "select %d\x00\x00\x00", random.IntN(5)), true)}
		}
		switch random.IntN(20) {
		case 0:
			c.clear()
		case 1:
			c.takeBack()
		case 2, 3, 4:
			to = statement{}
			fallthrough
		default:
			c.push([]byte(name), to, 1)
			c.commit()
		}
		want, texts := int64(0), map[*body]bool{}
		for i := range clients {
			for name, st := range clients[i].named {
				want += sizeOfStatement + int64(len(name))
				if st.body != nil && !texts[st.body] {
					texts[st.body] = true
					want += st.body.size()
				}
			}
		}
		if got := clients[0].bytes + clients[1].bytes; got != want {
			t.Fatalf("%d bytes, not %d: %v, %v", got, want, clients[0].named, clients[1].named)
		}
	}
	for i := range clients {
		clients[i].clear()
	}
	if n := clients[0].bytes + clients[1].bytes; n != 0 {
		t.Errorf("%d bytes of nothing", n)
	}
}
