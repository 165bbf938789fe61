package pool

import "testing"

func TestFifo(t *testing.T) {
	var q fifo[*int]
	in, out := 0, 0
	for round := range 2000 {
		for range round % 7 {
			n := in
			in++
			q.push(&n)
		}
		for range min(q.len(), round%6) {
			if next, n := *q.peek(), q.len(); next != q.pop() || *next != out || n != in-out {
				t.Fatalf("%d instead of %d", *next, out)
			}
			out++
		}
		if len(q.items) > 2*q.len()+2*maxSpare {
			t.Fatalf("%d places for %d items", len(q.items), q.len())
		}
	}
	for ; q.len() > 0; out++ {
		if n := q.pop(); *n != out {
			t.Fatalf("%d instead of %d", *n, out)
		}
	}
	if in != out || q.items != nil {
		t.Errorf("%d in, %d out, %d places kept", in, out, cap(q.items))
	}
}
